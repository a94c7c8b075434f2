import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** What a browser sends when somebody types an address. */
export const BROWSER = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
}

export const SCRIPT = 'console.log("the page");\n'.repeat(100)

const FILES = {
  'index.html': '<html nonce="__NONCE__"><script src="/assets/main-1a2b.js"></script><p>__NONCE__</p></html>',
  'assets/main-1a2b.js': SCRIPT,
  'assets/main-1a2b.css': 'a { color: red }',
  'assets/deep/font-1a2b.woff2': 'font',
  'assets/picture-1a2b.png': 'picture',
  'assets/main-1a2b.js.map': '{}',
  'assets/with space.svg': '<svg/>',
  'favicon.svg': '<svg></svg>',
  'favicon.ico': 'icon',
  'manifest.json': '{}',
  '.stamp': 'abc',
  'assets/.hidden.js': 'secret',
} as const

/** A folder as a build leaves it, beside a file that is none of its business. */
export class BuiltFolder {
  readonly #root = mkdtempSync(join(tmpdir(), 'page-'))
  readonly folder = join(this.#root, 'dist')

  constructor(isBuilt = true) {
    writeFileSync(join(this.#root, 'secret.txt'), 'secret')
    if (isBuilt) this.build()
  }

  /** As a build does it: whole in another folder, and then by its name. */
  build(files: Readonly<Record<string, string>> = FILES): void {
    const draft = join(this.#root, 'draft')
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(draft, name)), { recursive: true })
      writeFileSync(join(draft, name), text)
    }
    // As a mounted folder has them, whose files are links.
    mkdirSync(join(draft, 'assets'), { recursive: true })
    symlinkSync('main-1a2b.css', join(draft, 'assets', 'linked-1a2b.css'))
    this.remove()
    renameSync(draft, this.folder)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
