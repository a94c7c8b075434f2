import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError } from '../errors.ts'

const TEMPLATES = fileURLToPath(new URL('../../templates/', import.meta.url))

export const LANGUAGES = ['ts', 'python', 'shell'] as const
export type Language = (typeof LANGUAGES)[number]

/** What a project is put together from. */
const TEMPLATES_OF: { readonly [language in Language]: readonly string[] } = {
  ts: ['every', 'ts'],
  python: ['every', 'programs', 'python'],
  shell: ['every', 'programs', 'shell'],
}

export interface NewProject {
  /** Of the folder and of the task. */
  readonly name: string
  readonly language: Language
  /** Of the package that it depends on. */
  readonly version: string
  /** In which the folder is made. */
  readonly parent: string
}

/**
 * Makes a project that starts, has a test, and takes part in a release.
 * @returns the names of its files
 * @throws CliError PROJECT_INVALID for a name that is none, and for a folder that has something in it already
 */
export function newProject({ name, language, version, parent }: NewProject): string[] {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(name))
    throw invalid(
      `"${name}" cannot be the name of a task`,
      'release-task new my-task: lower-case letters, digits and -',
    )
  const folder = join(parent, name)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw invalid(`There is something in ${folder} already`, 'choose another name, or remove it')
  mkdirSync(folder, { recursive: true })
  const files = TEMPLATES_OF[language].flatMap((template) => filesOf(join(TEMPLATES, template)))
  for (const { file, text } of files)
    writeFileSync(
      join(folder, file),
      text.replaceAll('{{name}}', name).replaceAll('{{release-task}}', version),
    )
  return files.map(({ file }) => file).toSorted()
}

const invalid = (message: string, next: string) => new CliError('PROJECT_INVALID', message, next)

/** npm leaves a `.gitignore` out of what it packs, so the template's has another name. */
function filesOf(folder: string): { file: string; text: string }[] {
  return readdirSync(folder).map((name) => ({
    file: name === 'gitignore' ? '.gitignore' : name,
    text: readFileSync(join(folder, name), 'utf8'),
  }))
}
