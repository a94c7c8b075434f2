// The way of a release through the small coordinator, and everything that may go wrong on it.
import { newId } from '@release-task/protocol'
import { setTimeout as sleep } from 'node:timers/promises'
import { accepts, AGAIN_MS, DONE, isLost, TRIES, Courier, type Answered } from './flawed-courier.fixture.ts'
import {
  isOver,
  NOT_FOUND,
  Refusal,
  wrong,
  type Records,
  type Release,
  type Task,
} from './flawed-records.fixture.ts'

const KNOWN = new Set(['waiting', 'initialized', 'running', 'staged', 'publishing', 'published', 'rejected'])
const FORWARD = ['waiting', 'initialized', 'running', 'staged', 'publishing', 'published']

export class Course {
  readonly #records: Records
  readonly #courier: Courier

  constructor(records: Records) {
    this.#records = records
    this.#courier = new Courier(records)
  }

  async initialize(release: Release): Promise<void> {
    for (const service of this.#records.services.filter(({ enabled }) => enabled)) {
      const id = newId('TA', Math.random)
      const line = Promise.resolve()
      const fresh = { kf_id: id, service, release, state: 'waiting', progress: 0, ended: false }
      release.tasks.push({ ...fresh, told: [], line })
    }
    this.#records.moveRelease(release, 'initializing')
    if (release.tasks.length === 0) {
      this.#records.moveRelease(release, 'running')
      return this.#records.moveRelease(release, 'staged')
    }
    await Promise.all(release.tasks.map((task) => this.#tellInitialize(task)))
  }

  async #tellInitialize(task: Task): Promise<void> {
    const { release } = task
    const answer = await this.#courier.insist(task, 'initialize', (code) =>
      this.#records.has('F-16 takes a refusal for a yes') ? false : isLost(code),
    )
    if (answer === null) return
    const isYes =
      this.#records.has('F-16 takes a refusal for a yes') ||
      (this.#records.has('F-17 does not read the answer to initialize') && answer.code === 200) ||
      accepts(answer, DONE['initialize'])
    if (
      this.#records.has('F-08 writes initialized over canceled') &&
      isYes &&
      release.state === 'canceling'
    ) {
      await eventuallyOver(release)
      task.state = 'initialized'
    }
    if (release.state !== 'initializing' || task.state !== 'waiting') return
    if (!isYes) return this.#refuse(task, 'initialize', answer)
    this.#records.moveTask(task, 'initialized')
    const { tasks } = release
    const isAll = tasks.every(({ state }) => state === 'initialized')
    if (isAll || this.#records.has('starts before all have accepted')) this.#start(release)
  }

  #start(release: Release): void {
    this.#records.moveRelease(release, 'running')
    for (const task of release.tasks) {
      void this.#tellStart(task)
      if (this.#records.has('F-05 tells start twice')) void this.#tellStart(task)
    }
  }

  async #tellStart(task: Task): Promise<void> {
    const answer = await this.#courier.insist(task, 'start', isLost)
    if (answer === null) return
    if (this.#records.has('F-01 writes an old row over staged')) task.state = 'running'
    if (task.release.state !== 'running' || task.state !== 'initialized') return
    if (!accepts(answer, DONE['start'])) {
      if (!this.#records.has('F-18 hangs when start is refused')) this.#refuse(task, 'start', answer)
      return
    }
    this.#forward(task, answer.json.state === 'staged' ? 'staged' : 'running')
  }

  publish(id: string): void {
    const release = this.#records.releases.find(({ kf_id }) => kf_id === id)
    if (!release && this.#records.has('F-60 stumbles over an unknown id')) throw new Refusal(500, {})
    if (!release) throw NOT_FOUND
    if (release.state !== 'staged' && !this.#records.has('F-49 publishes what is not staged'))
      throw new Refusal(409, { detail: `The release in state ${release.state} may not be published.` })
    if (this.#records.has('raises the version too early')) this.#raise(release)
    this.#records.moveRelease(release, 'publishing')
    for (const task of release.tasks) void this.#tellPublish(task)
  }

  async #tellPublish(task: Task): Promise<void> {
    const answer = await this.#courier.insist(task, 'publish', isLost)
    if (answer === null) return
    if (this.#records.has('F-02 writes an old row over published')) task.state = 'publishing'
    if (task.release.state !== 'publishing' || task.state !== 'staged') return
    if (!accepts(answer, DONE['publish'])) {
      if (!this.#records.has('F-19 hangs when publish is refused')) this.#refuse(task, 'publish', answer)
      return
    }
    this.#forward(task, answer.json.state === 'published' ? 'published' : 'publishing')
  }

  takeWord(task: Task, state: string): void {
    if (this.#records.has('F-45 stores any word') && !KNOWN.has(state)) return void (task.state = state)
    if (isOver(task.state)) return void (task.state = state)
    if (state === 'failed' || state === 'canceled') {
      task.ended = true
      this.#records.moveTask(task, state)
      return this.stop(task.release, state)
    }
    if (!KNOWN.has(state)) throw wrong('state')
    const needed = state === 'published' ? 'publish' : 'start'
    const isAhead = FORWARD.indexOf(state) > FORWARD.indexOf(task.state)
    if (!isAhead || !task.told.includes(needed)) throw new Refusal(409, { detail: `It is ${task.state}.` })
    this.#forward(task, state)
  }

  /** Over the states between. */
  #forward(task: Task, goal: string): void {
    const states = FORWARD.slice(FORWARD.indexOf(task.state) + 1, FORWARD.indexOf(goal) + 1)
    for (const state of states) this.#records.moveTask(task, state)
    const { release } = task
    const all = (state: string) => release.tasks.every((one) => one.state === state)
    const isStaged = all('staged') || this.#records.has('stages with the first task')
    if (goal === 'staged' && release.state === 'running' && isStaged)
      this.#records.moveRelease(release, 'staged')
    if (goal !== 'published' || release.state !== 'publishing' || !all('published')) return
    this.#raise(release)
    this.#records.moveRelease(release, 'published')
  }

  #raise(release: Release): void {
    if (release.isRaised) return
    const [major = 0, minor = 0] = release.version.split('.').map(Number)
    const collides = this.#records.has('F-11 gives two releases one version')
    release.version = collides ? `${major}.${minor + 1}.0` : this.#records.next('minor')
    release.isRaised = true
  }

  #refuse(task: Task, action: string, { code, json }: Answered): void {
    const message = `request to ${action} task failed: answered ${code}: ${JSON.stringify(json)}`
    if (!this.#records.has('F-25 leaves no reason')) this.#records.event('error', message, task.release, task)
    this.#records.moveTask(task, action === 'initialize' ? 'rejected' : 'failed')
    this.stop(task.release, 'failed')
  }

  stop(release: Release, outcome: string): void {
    if (isOver(release.state) || release.state === 'canceling') return
    release.outcome = outcome
    this.#records.moveRelease(release, 'canceling')
    void Promise.all(release.tasks.map((task) => this.#tellCancel(task))).then(() =>
      this.#records.moveRelease(release, release.outcome),
    )
  }

  async #tellCancel(task: Task): Promise<void> {
    const isLeft = this.#records.has('does not cancel the others') && task.release.outcome === 'failed'
    if (task.told.length > 0 && !task.ended && !isLeft)
      await this.#courier.insist(
        task,
        'cancel',
        this.#records.has('F-23 tells cancel once') ? () => false : isLost,
      )
    if (this.#records.has('F-07 tells start after cancel')) await this.#courier.send(task, 'start')
    if (!isOver(task.state)) this.#records.moveTask(task, 'canceled')
  }

  async ask(task: Task): Promise<void> {
    const before = task.state
    const { code, json } = await this.#courier.send(task, 'get_status')
    if (task.state !== before) return
    if (code >= 400 && this.#records.has('F-34 fails a release after one poll'))
      this.stop(task.release, 'failed')
    if (code !== 200 || typeof json?.state !== 'string') return
    const progress = Number.parseFloat(json.progress)
    if (Number.isFinite(progress)) task.progress = Math.trunc(progress)
    if (json.state !== task.state) this.takeWord(task, json.state)
  }
}

async function eventuallyOver(release: Release): Promise<void> {
  for (let tries = 0; tries < TRIES && !isOver(release.state); tries++) await sleep(AGAIN_MS / 2)
}
