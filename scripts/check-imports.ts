// Who may import whom (ARCHITECTURE.md), no cycles between files, and no room named after being shared.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Packages of ours that each package may import. An app may import packages, and nothing imports an app. */
const MAY_IMPORT: { readonly [owner: string]: readonly string[] } = {
  protocol: [],
  settings: [],
  http: [],
  database: ['protocol'],
  queue: ['protocol'],
  'test-servers': [],
  'task-service': ['protocol', 'settings', 'http', 'database', 'queue', 'auth'],
  coordinator: ['protocol', 'settings', 'http', 'database', 'queue', 'auth'],
  'study-records': ['task-service'],
  'release-folder': ['task-service', 'settings'],
  conformance: ['protocol', 'http'],
  auth: ['http', 'settings'],
  cli: ['protocol', 'settings', 'http', 'database', 'auth', 'task-service', 'coordinator', 'conformance'],
}

/** The rules of the protocol are pure: they know its words, each other, and nothing that does something. */
const PURE = /^packages\/(task-service|coordinator)\/src\/(decide[\w-]*|change|settle|stop|version)\.ts$/
const PURE_MAY_IMPORT =
  /^(@release-task\/protocol|\.\/(decide[\w-]*|decision|record|change|settle|stop|version)\.ts)$/

/** Rooms that are handed functions and must not reach for the database themselves. */
const HANDED =
  /^packages\/(task-service|coordinator)\/src\/(worker|reporter|dispatcher|monitor|sweeper|delivery)\.ts$/
const BANNED_NAMES = /(^|\/)(utils?|helpers?|common|lib|misc|shared)(\/|\.ts$)/

interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules') && !file.includes('/dist/'))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)
  return [...found].map((match) => ({ from: match[2] ?? '', typeOnly: match[1] !== undefined }))
}

const isTest = (file: string) => /\.(test|contract|fixture)\.ts$|\/(testing|tests)\//.test(file)

function problemsOf(file: string): string[] {
  const named = BANNED_NAMES.test(file) ? ['is named after being shared: name it after what it knows'] : []
  const imported = importsOf(file).flatMap((one) => [
    ...packageProblems(file, one),
    ...(isTest(file) ? [] : roomProblems(file, one)),
  ])
  return [...named, ...imported].map((problem) => `${file}: ${problem}`)
}

function packageProblems(file: string, { from }: Import): string[] {
  const owner = /^packages\/([^/]+)\//.exec(file)?.[1]
  if (!owner) return []
  const target = /^@release-task\/([\w-]+)$/.exec(from)?.[1]
  // Real servers are for tests, whatever is tested.
  if (target === 'test-servers' && isTest(file)) return []
  if (target && !MAY_IMPORT[owner]?.includes(target)) return [`${owner} may not import ${target}`]
  return /(^|\/)apps\//.test(from) ? [`a package may not import an app (${from})`] : []
}

function roomProblems(file: string, { from, typeOnly }: Import): string[] {
  if (PURE.test(file) && !PURE_MAY_IMPORT.test(from)) return [`pure rules may not import ${from}`]
  const reaches = /^kysely$|database|store\.ts$|queries\.ts$/.test(from)
  const forbidden = HANDED.test(file) && reaches && !typeOnly && !allowsProcess(file, from)
  return forbidden ? [`is handed functions, and may not import ${from}`] : []
}

/** Whether a process is alive is asked by the sweep; that is no SQL. */
function allowsProcess(file: string, from: string): boolean {
  return file.endsWith('sweeper.ts') && from === '@release-task/database'
}

function cycles(files: readonly string[]): string[] {
  const known = new Set(files)
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    state.set(file, 'open')
    for (const { from, typeOnly } of importsOf(file)) {
      const target = relative(root, resolve(root, dirname(file), from))
      if (!typeOnly && from.startsWith('.') && known.has(target)) visit(target, [...path, file])
    }
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
  return found.map((cycle) => `cycle: ${cycle}`)
}

const files = ['packages', 'apps', 'tests', 'scripts'].flatMap(sources)
const problems = [...files.flatMap(problemsOf), ...cycles(files)]
for (const problem of problems) console.error(problem)
console.log(`${files.length} files, ${problems.length} problems`)
process.exit(problems.length === 0 ? 0 : 1)
