import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let page = ''
let folder = ''

/** A package of somebody else, with what its author was told to write. */
beforeAll(async () => {
  page = await readFile(join(root, 'docs/testing-a-task.md'), 'utf8')
  folder = await mkdtemp(join(tmpdir(), 'a-task-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The examples of the page, by the name that is in their first line; those without one follow the one before. */
function examples(): Map<string, string> {
  const files = new Map<string, string>()
  let name = ''
  for (const [, block = ''] of page.matchAll(/```ts\n(.*?)```/gs)) {
    const first = /^\/\/ (\S+\.ts(?:: \w+)?)\n/.exec(block)?.[1]
    if (!first) files.set('manifest.test.ts', `${files.get('manifest.test.ts')}\n${block}`)
    else files.set((name = first), block.slice(block.indexOf('\n') + 1))
  }
  expect(name).toBe('manifest.ts: publish')
  return files
}

async function runTests(task: string, tests: string): Promise<{ code: number | null; lines: string[] }> {
  await writeFile(join(folder, 'manifest.ts'), task)
  await writeFile(join(folder, 'manifest.test.ts'), tests)
  const args = ['--conditions=development', '--test', '--test-reporter=spec', 'manifest.test.ts']
  // Without what this runner has told its own children.
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, lines: text.split('\n') }
}

const passed = (lines: readonly string[]) =>
  lines.flatMap((line) => /^✔ (.*) \([\d.]+ms\)$/.exec(line)?.[1] ?? [])

test('the page’s examples run with node:test as it says: without the mended publish one of them fails', async () => {
  const files = examples()
  const { code, lines } = await runTests(files.get('manifest.ts') ?? '', files.get('manifest.test.ts') ?? '')
  expect(code).toBe(1)
  expect(passed(lines)).toHaveLength(5)
  const failure = /Killed at moment 13.*/.exec(page)?.[0].replace(' …', '') ?? 'none'
  expect(lines.join('\n')).toContain(failure)
  expect(page).toContain(`✔ ${passed(lines)[0]} (`)
})

test('with it, all of them pass, and the process ends by itself', async () => {
  const files = examples()
  const task = files.get('manifest.ts') ?? ''
  const mended = task.replace(
    / {2}async publish.*?\n {2}\},\n/s,
    () => files.get('manifest.ts: publish') ?? '',
  )
  const tests = files.get('manifest.test.ts') ?? ''
  const { code, lines } = await runTests(mended, tests)
  expect(lines.filter((line) => line.startsWith('✖'))).toEqual([])
  expect(code).toBe(0)
  expect(passed(lines)).toHaveLength(tests.match(/^test\(/gm)?.length ?? 0)
})
