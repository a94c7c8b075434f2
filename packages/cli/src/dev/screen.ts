import { stripVTControlCharacters } from 'node:util'
import type { ReleaseShown, TaskShown } from './coordinator-api.ts'
import { renderRelease, type View } from './render.ts'
import { wrap } from './text.ts'

/** Where a run is told: lines for a pipe, lines with a live part at the end for a terminal. */
export interface Screen {
  readonly live: boolean
  line(text: string): void
  /** The release as it is now: a terminal redraws it, a pipe prints what has changed. */
  show(view: Omit<View, 'width'>): void
  /** What is live now stays as it is. */
  settle(): void
}

/** A terminal that cannot move its cursor is written to like a pipe. */
export function createScreen(out: NodeJS.WriteStream, term: string | undefined): Screen {
  return out.isTTY && term !== 'dumb' ? new LiveScreen(out) : new PlainScreen(out)
}

class PlainScreen implements Screen {
  readonly live = false
  readonly #out: NodeJS.WriteStream
  readonly #told = new Set<string>()

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  line(text: string): void {
    this.#out.write(`${text}\n`)
  }

  show({ release }: { release: ReleaseShown }): void {
    this.#tell(release.state, `${release.kf_id} ${release.state}`)
    for (const task of release.tasks) {
      // A line for each tenth is enough for a log.
      this.#tell(`${task.kf_id} ${task.state} ${Math.floor(task.progress / 10)}`, taskLine(task))
      const trouble = task.last_error ?? task.waiting_for?.last_error
      if (trouble) this.#tell(`${task.kf_id} ${trouble}`, `${task.service_name} ${trouble}`)
    }
  }

  settle(): void {
    this.#told.clear()
  }

  #tell(key: string, text: string): void {
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.line(`  ${text}`)
  }
}

function taskLine(task: TaskShown): string {
  const works = task.state === 'running' || task.state === 'publishing'
  return [task.service_name, task.state, ...(works ? [`${task.progress}%`, task.message ?? ''] : [])]
    .join(' ')
    .trimEnd()
}

class LiveScreen implements Screen {
  readonly live = true
  readonly #out: NodeJS.WriteStream
  #drawn: string[] = []
  #width = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  line(text: string): void {
    const below = this.#drawn
    const width = Math.max(40, this.#out.columns || 80) - 1
    this.#erase()
    for (const line of text.split('\n')) this.#out.write(`${wrap(line, width, '  ').join('\n')}\n`)
    this.#draw(below)
  }

  show(view: Omit<View, 'width'>): void {
    const width = Math.max(40, this.#out.columns || 80)
    const lines = renderRelease({ ...view, width })
    if (width === this.#width && lines.join('\n') === this.#drawn.join('\n')) return
    this.#erase()
    this.#width = width
    this.#draw(lines)
  }

  settle(): void {
    this.#drawn = []
  }

  #draw(lines: string[]): void {
    this.#out.write(lines.map((line) => `${line}\n`).join(''))
    this.#drawn = lines
  }

  /** Back to the first live line, and away with it and all below: one that was wrapped by a narrower window, too. */
  #erase(): void {
    if (this.#drawn.length === 0) return
    const columns = Math.max(1, this.#out.columns || 80)
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
      0,
    )
    this.#out.write(`\u001B[${rows}A\r\u001B[0J`)
    this.#drawn = []
  }
}
