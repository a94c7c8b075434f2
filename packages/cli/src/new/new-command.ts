import { Command, Option } from 'commander'
import { LANGUAGES, newProject, type Language } from './new-project.ts'
import { strictCommand } from '../usage.ts'

/** `release-task new`: a first task service. */
export function newCommand(version: string): Command {
  return strictCommand(new Command('new'))
    .argument('<name>', 'of the folder and of the task')
    .addOption(
      new Option('--lang <language>', 'what its work is written in').choices(LANGUAGES).default('ts'),
    )
    .action((name: string, { lang: language }: { lang: Language }) => {
      const files = newProject({ name, language, version, parent: process.cwd() })
      console.log(`${name}: ${files.join(', ')}\n`)
      console.log(
        `  cd ${name}\n  npm install\n  npm test     # a release in one process, killed at every moment`,
      )
      console.log('  npm start    # a coordinator, this task, and a release: see it staged, then published')
    })
}
