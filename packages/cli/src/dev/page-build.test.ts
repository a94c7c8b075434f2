import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { showPage } from './page.ts'
import { buildPage } from './page-build.ts'

const VITE = fileURLToPath(new URL('../../../../node_modules/vite', import.meta.url))
const NEVER = new AbortController().signal

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'page-build-'))
  write(
    'package.json',
    JSON.stringify({ name: 'page', dependencies: { '@release-task/words': '1', vite: '1' } }),
  )
  write('index.html', '<p>first</p>')
  write('src/main.js', 'one')
  write('node_modules/@release-task/words/package.json', '{"name":"@release-task/words"}')
  write('node_modules/@release-task/words/src/words.ts', 'words')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
}

/** Instead of vite: a program that is called as vite is. */
function viteThat(does: string): void {
  write('node_modules/vite/package.json', '{"name":"vite","type":"commonjs","bin":{"vite":"bin.js"}}')
  const begin = `const fs = require('node:fs'); const [, , what, root, , out] = process.argv;
    fs.appendFileSync(root + '/node_modules/calls', what + '\\n');`
  write('node_modules/vite/bin.js', `${begin}\n${does}`)
}
const COPY = `fs.mkdirSync(out, { recursive: true }); fs.copyFileSync(root + '/index.html', out + '/index.html')`
const calls = () => readFileSync(join(folder, 'node_modules/calls'), 'utf8').trim().split('\n').length
const shown = () => readFileSync(join(folder, 'dist/index.html'), 'utf8')

describe('buildPage', () => {
  test('builds once, and again only for what the page is made of', async () => {
    viteThat(COPY)
    expect(await buildPage(folder, NEVER)).toBe('built')
    expect(shown()).toBe('<p>first</p>')
    expect(await buildPage(folder, NEVER)).toBe('current')
    write('node_modules/other/index.js', 'x')
    write('.editor/state', 'x')
    expect(await buildPage(folder, NEVER)).toBe('current')
    const changes = [
      ['index.html', '<p>second</p>'],
      ['src/deep/new.js', ''],
      [
        'package.json',
        JSON.stringify({ name: 'page', dependencies: { '@release-task/words': '2', vite: '2' } }),
      ],
      ['node_modules/@release-task/words/src/words.ts', 'other words'],
    ] as const
    for (const [name, text] of changes) {
      write(name, text)
      expect([name, await buildPage(folder, NEVER)]).toEqual([name, 'built'])
    }
    expect([shown(), calls()]).toEqual(['<p>second</p>', 5])
    expect(readdirSync(join(folder, 'node_modules')).toSorted()).toEqual([
      '@release-task',
      'calls',
      'other',
      'vite',
    ])
  })

  test('one that fails leaves the one before, nothing else, and its reason', async () => {
    viteThat(COPY)
    await buildPage(folder, NEVER)
    write('index.html', '<p>broken</p>')
    viteThat(`fs.mkdirSync(out); fs.writeFileSync(out + '/index.html', 'half');
      console.error('\\u001b[31merror during build:\\nCannot find\\n  ./x\\n    at y (z.js:1)'); process.exit(1)`)
    await expect(buildPage(folder, NEVER)).rejects.toThrow(/^Cannot find \.\/x$/)
    expect(shown()).toBe('<p>first</p>')
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('without vite, or without a folder, it says so', async () => {
    await expect(buildPage(folder, NEVER)).rejects.toThrow('vite is not installed')
    await expect(buildPage(join(folder, 'nowhere'), NEVER)).rejects.toThrow('nowhere')
  })

  test('the vite of this repository builds a page that names its files by their content', async () => {
    symlinkSync(VITE, join(folder, 'node_modules/vite'))
    write('index.html', '<script type="module" src="/src/main.js"></script>')
    write('src/main.js', 'console.log(1)')
    expect(await buildPage(folder, NEVER)).toBe('built')
    expect(shown()).toMatch(/src="\/assets\/index-[\w-]{8}\.js"/)
    write('src/main.js', 'import "./missing.js"')
    await expect(buildPage(folder, NEVER)).rejects.toThrow(/missing\.js/)
  })
})

describe('showPage', () => {
  async function say(stop = NEVER): Promise<string[]> {
    const lines: string[] = []
    await showPage({ folder, url: 'http://127.0.0.1:1', stop, say: (line) => lines.push(line) })
    return lines
  }

  test('says where the page is', async () => {
    viteThat(COPY)
    expect(await say()).toEqual(['dashboard http://127.0.0.1:1'])
    expect(await say()).toEqual(['dashboard http://127.0.0.1:1'])
  })

  test('a build that fails is a warning with the reason and what is there instead', async () => {
    viteThat(`console.error('no room'); process.exit(1)`)
    expect(await say()).toEqual([
      'warning: the dashboard could not be built: no room; the release system runs without it',
    ])
    write('dist/index.html', 'old')
    expect(await say()).toEqual([
      'warning: the dashboard could not be built: no room; http://127.0.0.1:1 shows the one that was built before',
    ])
  })

  test('one that takes its time is announced; one that is stopped says nothing more', async () => {
    viteThat(`setInterval(() => undefined, 1000)`)
    const stop = new AbortController()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const said = say(stop.signal)
    await vi.advanceTimersByTimeAsync(2000)
    vi.useRealTimers()
    stop.abort()
    const lines = await said
    expect(lines).toEqual(['building the dashboard; releases do not wait for it'])
    expect(existsSync(join(folder, 'dist'))).toBe(false)
  })
})
