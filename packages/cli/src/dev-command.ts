import { Command } from 'commander'
import type { DevOptions } from './dev/dev.ts'
import { port } from './options.ts'
import { strictCommand } from './usage.ts'

/** `release-task dev`: a whole system on one machine. */
export function devCommand(version: string): Command {
  return strictCommand(new Command('dev'))
    .argument('<task files...>', 'files that export defineTask({...})')
    .option('--once', 'end with the release: 0 when it is published, 1 otherwise', false)
    .option('--new', 'issue another release although there is one already', false)
    .option('--data <folder>', 'folder of all state; it survives a restart', '.data')
    .option('--dashboard <folder>', 'folder of the sources of the page, which is built where they are newer')
    .option('--coordinator-port <port>', 'port of the coordinator', port, 5001)
    .option('--issuer-port <port>', 'port of the issuer of tokens', port, 5002)
    .option('--task-port <port>', 'port of the first task service; further ones follow', port, 8282)
    .action(async (files: string[], flags: Omit<DevOptions, 'files' | 'version'>) => {
      const { runDev } = await import('./dev/dev.ts')
      process.exitCode = await runDev({ ...flags, files, version })
    })
}
