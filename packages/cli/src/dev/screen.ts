import { styleText } from 'node:util'
import type { ReleaseShown, TaskShown } from './coordinator-api.ts'

const BAR_WIDTH = 24

/** Where a run is told: lines for a pipe, lines with a live part at the end for a terminal. */
export interface Screen {
  line(text: string): void
  /** The release as it is now; a terminal redraws it, a pipe prints what has changed. */
  show(release: ReleaseShown): void
  /** What was live stays as it is. */
  settle(): void
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  return out.isTTY ? new LiveScreen(out) : new PlainScreen(out)
}

const COLORS: { readonly [state: string]: 'green' | 'red' | 'yellow' | 'cyan' } = {
  published: 'green',
  staged: 'yellow',
  canceled: 'red',
  failed: 'red',
  rejected: 'red',
}

class PlainScreen implements Screen {
  readonly #out: NodeJS.WriteStream
  readonly #told = new Map<string, string>()

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  line(text: string): void {
    this.#out.write(`${text}\n`)
  }

  show(release: ReleaseShown): void {
    this.#tell(release.kf_id, `release ${release.kf_id} ${release.state}`)
    for (const task of release.tasks) {
      // A line per tenth is enough for a log.
      const step = Math.floor(task.progress / 10)
      this.#tell(`${task.kf_id} ${task.state} ${step}`, taskLine(task))
    }
  }

  settle(): void {
    this.#told.clear()
  }

  #tell(key: string, text: string): void {
    if (this.#told.get(key) === text || (key.includes(' ') && this.#told.has(key))) return
    this.#told.set(key, text)
    this.line(`  ${text}`)
  }
}

function taskLine(task: TaskShown): string {
  const words = [task.service_name, task.state]
  if (task.state === 'running' || task.state === 'publishing')
    words.push(`${task.progress}%`, task.message ?? '')
  const trouble = task.last_error ?? task.waiting_for?.last_error
  if (trouble) words.push(`(${trouble})`)
  return words.join(' ').trimEnd()
}

class LiveScreen implements Screen {
  readonly #out: NodeJS.WriteStream
  #drawn = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  line(text: string): void {
    this.settle()
    this.#out.write(`${text}\n`)
  }

  show(release: ReleaseShown): void {
    const lines = [headline(release), ...release.tasks.map((task) => barLine(task))]
    const width = Math.max(20, this.#out.columns || 80)
    const text = lines.map((line) => `${cut(line, width - 1)}\n`).join('')
    // Back to the first drawn line, and everything below it anew.
    const back = this.#drawn > 0 ? `\u001B[${this.#drawn}A\u001B[0J` : ''
    this.#out.write(back + text)
    this.#drawn = lines.length
  }

  settle(): void {
    this.#drawn = 0
  }
}

function headline(release: ReleaseShown): string {
  const waits = release.waiting_for ? ` · ${release.waiting_for.what}` : ''
  return `  ${release.kf_id} ${styleText(COLORS[release.state] ?? 'cyan', release.state)}${waits}`
}

function barLine(task: TaskShown): string {
  const full = Math.round((task.progress / 100) * BAR_WIDTH)
  const bar = styleText(COLORS[task.state] ?? 'cyan', '█'.repeat(full)) + '░'.repeat(BAR_WIDTH - full)
  const trouble = task.last_error ?? task.waiting_for?.last_error
  const tail = trouble ? styleText('red', trouble) : (task.message ?? '')
  return `  ${task.service_name} ${bar} ${String(task.progress).padStart(3)}% ${task.state} ${tail}`
}

// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const ESCAPES = /\u001B\[[0-9;]*m/y

/** Cuts to what fits into one line, not counting colors: a line that wraps would spoil the redraw. */
function cut(text: string, width: number): string {
  let visible = 0
  let out = ''
  for (let index = 0; index < text.length;) {
    ESCAPES.lastIndex = index
    const escape = ESCAPES.exec(text)?.[0]
    if (escape) out += escape
    else if (visible < width) {
      out += text[index]
      visible++
    }
    index += escape?.length ?? 1
  }
  return out
}
