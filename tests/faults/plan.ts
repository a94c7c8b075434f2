// What will be done in a round, from its seed alone: the releases, what is wanted of each, and every fault with its time.
import { Random } from './random.ts'

export type Backend = 'sqlite' | 'full'
export const SERVICES = ['alpha', 'beta'] as const

export const PHASES = ['initializing', 'running', 'staged', 'publishing'] as const
export type Phase = (typeof PHASES)[number]

/** What a person, or the author's code, makes of a release. */
export type Intent =
  | { readonly type: 'publish' }
  /** Canceled as soon as it is seen in this phase, or in a later one. */
  | { readonly type: 'cancel'; readonly at: Phase; readonly afterMs: number }
  /** One service's stage fails for good. */
  | { readonly type: 'fail' }

export interface ReleasePlan {
  readonly intent: Intent
  readonly startMs: number
  readonly stageMs: number
  readonly publishMs: number
  /** Each phase of the author's code fails once before it works. */
  readonly isFlaky: boolean
  /** The author's code goes on when it is told to stop, as code does that never looks. */
  readonly isStubborn: boolean
}

/** Something that is done to the system. `slot` is a process of it, by name. */
export type Fault =
  | { readonly type: 'kill'; readonly slot: string; readonly downMs: number; readonly skewMs: number }
  | { readonly type: 'stop'; readonly slot: string; readonly forMs: number }
  /** The same to a worker in the middle of its work, so that another takes its work over. */
  | ({ readonly type: 'pause_work' } & AtWork)
  /** A worker in the middle of its work loses its way to its database: no answer, and no end of the connection. */
  | ({ readonly type: 'cut_off' } & AtWork)
  | { readonly type: 'terminate'; readonly slot: string; readonly downMs: number }
  | { readonly type: 'network'; readonly link: string; readonly forMs: number; readonly trouble: number }
  | { readonly type: 'disk_full'; readonly slot: string; readonly forMs: number }
  | { readonly type: 'redis_kill'; readonly downMs: number }
  | { readonly type: 'redis_flush' }
  | { readonly type: 'postgres_restart'; readonly how: 'fast' | 'crash' }

/** The next worker that begins this work, so long after it began. */
export interface AtWork {
  readonly work: 'stage' | 'publish'
  readonly afterMs: number
  readonly forMs: number
}

export type TimedFault = Fault & { readonly atMs: number }

export interface RoundPlan {
  readonly seed: number
  readonly releases: readonly ReleasePlan[]
  readonly faults: readonly TimedFault[]
}

/** The processes of each backend, by the name that faults call them. */
export const SLOTS: { readonly [backend in Backend]: readonly string[] } = {
  sqlite: ['coordinator-1', 'alpha', 'beta-api-1', 'beta-worker-1', 'beta-worker-2'],
  full: [
    'coordinator-1',
    'coordinator-2',
    'alpha',
    'beta-api-1',
    'beta-api-2',
    'beta-worker-1',
    'beta-worker-2',
  ],
}
/** `to X`: what the coordinator says to a service; `coordinator`: what both services say to it. */
export const LINKS = ['to alpha', 'to beta', 'coordinator'] as const
/** A stop is longer than the lease, or nobody would notice it. */
export const LEASE_MS = 2500
export const SHUTDOWN_GRACE_MS = 1000

const FAULTS_FOR_MS = 1500
/** What lasts longer than a lease begins while there is something to disturb. */
const LONG_FROM_MS = 500
const SKEW_MS = 5 * 60 * 1000 // 5 min

/** Rounds of one block share their processes, and whether the coordinator polls: half of all blocks must do without. */
export const BLOCK = 10
export const isPolling = (seed: number): boolean => Math.floor(seed / BLOCK) % 2 === 1

export function planRound(seed: number, backend: Backend): RoundPlan {
  const random = new Random(seed)
  const others = Array.from({ length: random.between(2, 4) }, () => planRelease(random))
  const releases = [planEarlyRelease(random), ...others]
  const faults = Array.from({ length: random.between(3, 6) }, () => planFault(random, backend))
  // Whoever comes back to work that somebody else has by now is what leases are for: it happens in every round.
  faults.push(planMeeting(random, backend))
  const all = faults.map((fault) => timed(fault, random))
  return { seed, releases, faults: all.toSorted((a, b) => a.atMs - b.atMs) }
}

function timed(fault: Fault, random: Random): TimedFault {
  const isLong = 'forMs' in fault && fault.forMs > LEASE_MS
  return { ...fault, atMs: random.between(0, isLong ? LONG_FROM_MS : FAULTS_FOR_MS) }
}

/** Is published while the faults of its round still happen. */
function planEarlyRelease(random: Random): ReleasePlan {
  return {
    intent: { type: 'publish' },
    startMs: random.between(0, 200),
    stageMs: random.between(50, 500),
    publishMs: random.between(200, 600),
    isFlaky: random.chance(0.15),
    isStubborn: random.chance(0.6),
  }
}

function planRelease(random: Random): ReleasePlan {
  return {
    intent: planIntent(random),
    startMs: random.between(0, 900),
    // Some work longer than a lease, which must be renewed for that.
    stageMs: random.chance(0.1) ? random.between(LEASE_MS + 300, LEASE_MS + 1200) : random.between(100, 1100),
    publishMs: random.between(50, 600),
    isFlaky: random.chance(0.15),
    isStubborn: random.chance(0.5),
  }
}

function planIntent(random: Random): Intent {
  return random.pick<() => Intent>([
    [55, () => ({ type: 'publish' })],
    [35, () => ({ type: 'cancel', at: random.oneOf(PHASES), afterMs: random.between(0, 300) })],
    [10, () => ({ type: 'fail' })],
  ])()
}

function planFault(random: Random, backend: Backend): Fault {
  const slots = SLOTS[backend]
  const sqlite = backend === 'sqlite' ? slots : ['alpha']
  const choices: (readonly [number, () => Fault])[] = [
    [30, () => planKill(random, backend)],
    [12, () => ({ type: 'stop', slot: random.oneOf(slots), forMs: planStopMs(random) })],
    [8, () => ({ type: 'terminate', slot: random.oneOf(slots), downMs: random.between(0, 600) })],
    [36, () => planNetwork(random)],
    [6, () => ({ type: 'disk_full', slot: random.oneOf(sqlite), forMs: random.between(100, 1200) })],
  ]
  if (backend === 'full')
    choices.push(
      [6, () => ({ type: 'redis_kill', downMs: random.between(0, 1500) })],
      [8, () => ({ type: 'redis_flush' })],
      [8, () => ({ type: 'postgres_restart', how: random.oneOf(['fast', 'crash']) })],
    )
  return random.pick(choices)()
}

/** Whoever shares a SQLite file shares the clock of its host; only workers of several hosts can disagree. */
function planKill(random: Random, backend: Backend): Fault {
  const slot = random.oneOf(SLOTS[backend])
  const isSkewed = backend === 'full' && slot.includes('worker') && random.chance(0.5)
  const skewMs = isSkewed ? random.oneOf([-SKEW_MS, SKEW_MS]) : 0
  return { type: 'kill', slot, downMs: random.between(0, 1000), skewMs }
}

/** Most of them short, as a busy machine; the others until somebody else has taken the work over. */
function planStopMs(random: Random): number {
  return random.chance(0.8) ? random.between(50, 500) : planLongMs(random)
}

function planMeeting(random: Random, backend: Backend): Fault {
  const type = backend === 'full' && random.chance(0.5) ? 'cut_off' : 'pause_work'
  return { type, ...planAtWork(random) }
}

function planAtWork(random: Random): AtWork {
  const work = random.oneOf(['stage', 'publish'] as const)
  // In the first half of `publish`, before anything is public.
  const afterMs = work === 'stage' ? random.between(100, 500) : random.between(0, 100)
  // Back while whoever has taken the work over is still at it.
  return { work, afterMs, forMs: random.between(LEASE_MS + 50, LEASE_MS + 500) }
}

const planLongMs = (random: Random): number => random.between(LEASE_MS + 300, LEASE_MS + 900)

function planNetwork(random: Random): Fault {
  const link = random.pick<(typeof LINKS)[number]>([
    [25, 'to alpha'],
    [25, 'to beta'],
    [50, 'coordinator'],
  ])
  return { type: 'network', link, forMs: random.between(300, 2000), trouble: random.between(30, 90) / 100 }
}

/** One line for people. */
export function describeFault(fault: Fault): string {
  const { type, ...facts } = fault
  const told = Object.entries(facts).filter(([name, value]) => name !== 'atMs' && value !== 0)
  return [type, ...told.map(([name, value]) => `${name}=${value}`)].join(' ')
}
