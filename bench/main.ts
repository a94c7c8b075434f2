// `npm run bench`: every figure in one run, printed as it comes; `npm run bench -- --write` keeps it in docs/performance.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchHttp } from './http.ts'
import { benchReleases } from './release.ts'
import { benchStart } from './start.ts'
import { markdownTable, type Row } from './table.ts'

const PARTS: { readonly [name: string]: (folder: string) => Promise<Row[]> } = {
  'cold start and memory': benchStart,
  'HTTP against a bare server (about a minute)': benchHttp,
  'releases with nothing to do': benchReleases,
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const rows: Row[] = []
try {
  for (const [name, part] of Object.entries(PARTS)) {
    console.error(`measuring: ${name} …`)
    const place = join(folder, String(rows.length))
    mkdirSync(place)
    rows.push(...(await part(place)))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const table = markdownTable(rows)
console.log(process.stdout.isTTY ? table : JSON.stringify(rows))
if (process.argv.includes('--write')) keep(table)

/** Replaces the table between its two marks; what the figures mean is written by hand around it. */
function keep(text: string): void {
  const file = fileURLToPath(new URL('../docs/performance.md', import.meta.url))
  const machine = `Node ${process.versions.node}, ${process.platform}-${process.arch}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}`
  const page = readFileSync(file, 'utf8')
  const marked = /<!-- run -->[\s\S]*<!-- end of run -->/
  writeFileSync(file, page.replace(marked, `<!-- run -->\n${machine}\n\n${text}\n<!-- end of run -->`))
}
