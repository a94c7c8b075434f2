// Records what a person sees of `npm start` as text, at two widths, into docs/terminal.md. It needs tmux, which is a
// real terminal: nothing here knows how the screen is drawn. Run it on a machine where ports 5301 and 5302 are free.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const SESSION = `record-${process.pid}`
const WIDTHS = [80, 140]
const PATIENCE_MS = 60 * 1000

function tmux(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('tmux', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
  return stdout
}

const screen = (): string => tmux('capture-pane', '-p', '-t', SESSION)
const press = (key: string): string => tmux('send-keys', '-t', SESSION, key)

/** The screen once it shows what is waited for. */
async function seen(wanted: RegExp): Promise<string> {
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end) {
    const now = screen()
    if (wanted.test(now)) return now
    await sleep(20)
  }
  throw new Error(`never saw ${String(wanted)}:\n${screen()}`)
}

interface Shot {
  readonly title: string
  readonly text: string
}

async function start(width: number, folder: string): Promise<void> {
  const command = `cd ${root} && npm start --silent -- --data .record --coordinator-port 5301 --task-port 5302`
  tmux(
    'new-session',
    '-d',
    '-s',
    SESSION,
    '-x',
    String(width),
    '-y',
    '32',
    `ln -sfn ${folder} ${root}.record; ${command}; sleep 1`,
  )
}

async function end(): Promise<void> {
  press('q')
  while (spawnSync('tmux', ['has-session', '-t', SESSION]).status === 0) await sleep(50)
}

const STAGED = /STAGED: nothing is public yet[\s\S]*Enter publishes/
const READY = /n new release · k /g

/** Everything since the last time that the keys were offered. */
const sinceKeys = (text: string): string =>
  text.slice(text.lastIndexOf('n new release · k ', text.lastIndexOf('issued ')))

async function firstRun(): Promise<Shot[]> {
  const working = await seen(/ [2-8]\d% running/)
  const staged = await seen(STAGED)
  press('Enter')
  const published = await seen(READY)
  return [
    { title: 'First run: working', text: working },
    { title: 'First run: staged, a person is asked', text: staged },
    { title: 'First run: published', text: published },
  ]
}

async function cancel(): Promise<Shot> {
  press('n')
  await seen(/Release 2" running[\s\S]* [1-7]\d% running/)
  press('c')
  return {
    title: 'A cancel in the middle',
    text: sinceKeys(await seen(/ended canceled[\s\S]*n new release/)),
  }
}

async function kill(): Promise<Shot> {
  press('k')
  await seen(/kill -9/)
  await seen(/Release 3" staged/)
  press('Enter')
  return {
    title: 'kill -9 of a worker in the middle',
    text: sinceKeys(await seen(/Release 3" as version[\s\S]*n new release/)),
  }
}

async function record(width: number): Promise<Shot[]> {
  const folder = mkdtempSync(join(tmpdir(), 'record-'))
  try {
    await start(width, folder)
    const shots = [...(await firstRun()), await cancel(), await kill()]
    await end()
    await start(width, folder)
    shots.push({ title: 'Second run: nothing is issued unasked', text: await seen(READY) })
    await end()
    return shots
  } finally {
    spawnSync('tmux', ['kill-session', '-t', SESSION])
    rmSync(folder, { recursive: true, force: true })
    rmSync(join(root, '.record'), { force: true })
  }
}

const lines = [
  '# The terminal of `npm start`',
  '',
  'Recorded by `scripts/record-terminal.ts` from a real terminal, as text.',
]
for (const width of WIDTHS) {
  for (const { title, text } of await record(width))
    lines.push('', `## ${title} (${width} columns)`, '', '```', text.trim(), '```')
  console.log(`recorded at ${width} columns`)
}
writeFileSync(join(root, 'docs', 'terminal.md'), `${lines.join('\n')}\n`)
