import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const CHILD = fileURLToPath(new URL('log-output.child.fixture.ts', import.meta.url))

function start(lines: number): ChildProcess {
  return spawn(process.execPath, ['--conditions=development', CHILD, String(lines)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

async function run(child: ChildProcess): Promise<number | null> {
  const ended = once(child, 'close')
  child.stdin?.end('go')
  return (await ended)[0] as number | null
}

test.concurrent(
  'every line is out when the process ends, in order, also where that ends it at once',
  async () => {
    const child = start(2000)
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    expect(await run(child)).toBe(0)
    const lines = text.trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual(
      Array.from({ length: 2000 }, (_, index) => index + 1),
    )
  },
)

test.concurrent('a process ends whose reader is gone, with lines that nobody will ever read', async () => {
  const child = start(2000)
  child.stdout?.destroy()
  expect(await run(child)).toBe(0)
})

test.concurrent('a process ends whose reader takes nothing', async () => {
  const child = start(20_000)
  child.stdout?.pause()
  const exited = once(child, 'exit')
  child.stdin?.end('go')
  expect((await exited)[0]).toBe(0)
})
