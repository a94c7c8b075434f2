import type { Backup } from '@release-task/database'
import { Command, Option } from 'commander'
import { bytes } from './dev/text.ts'
import { CliError } from './errors.ts'
import { strictCommand } from './usage.ts'

export interface BackupFlags {
  readonly database?: string
  readonly data?: string
  readonly side?: string
}

const RESTORE = `
Which database: that of --database, or of --side under --data, or of DATABASE_URL, or of --side where it is by default.

To restore: stop the service, put the file in the place of the database, remove the files beside it that end in -wal
and -shm, and start the service.`

/** `release-task backup`: copies a database into one file while its service runs. */
export function backupCommand(): Command {
  return strictCommand(new Command('backup'))
    .argument('<file>', 'the copy; a file that exists is not overwritten')
    .option('--database <url>', 'address of the database, before DATABASE_URL')
    .addOption(new Option('--data <folder>', 'folder that --data of the service named').conflicts('database'))
    .option('--side <name>', 'coordinator, or the name of a task')
    .addHelpText('after', RESTORE)
    .action(async (file: string, flags: BackupFlags) => {
      const backup = await backUp(file, flags)
      console.log(process.stdout.isTTY ? sentence(file, backup) : JSON.stringify({ file, ...backup }))
    })
}

/** @throws CliError, DatabaseError: each with one line for whoever typed the command */
export async function backUp(file: string, flags: BackupFlags): Promise<Backup> {
  const [{ backupDatabase }, { databaseUrl }] = await Promise.all([
    import('@release-task/database'),
    import('./config.ts'),
  ])
  const { side } = flags
  const url = flags.database ?? databaseUrl(side, flags.data)
  if (url === null)
    throw new CliError(
      'BACKUP_SIDE_UNKNOWN',
      'It is not clear which database to back up',
      `npx release-task backup ${file}${flags.data === undefined ? '' : ` --data ${flags.data}`} --side coordinator, or --side with the name of a task`,
    )
  return await backupDatabase(url, file, (found) => {
    if (side !== undefined && side !== nameOf(found)) throw otherSide(file, side, nameOf(found))
  })
}

/** As `--side` calls it: there is one coordinator, and many tasks. */
function nameOf({ side, name }: Pick<Backup, 'side' | 'name'>): string {
  return side === 'coordinator' ? side : name
}

function otherSide(file: string, wanted: string, found: string): CliError {
  return new CliError(
    'BACKUP_OTHER_SIDE',
    `The database belongs to ${found}, not to ${wanted}, and was not backed up`,
    `npx release-task backup ${file} --database ADDRESS, with the address of the database of ${wanted}`,
  )
}

export function sentence(file: string, backup: Backup): string {
  const whose =
    backup.side === 'coordinator' ? 'the coordinator' : `the task service ${JSON.stringify(backup.name)}`
  return `${file}: ${bytes(backup.bytes)}, the database of ${whose}, whole and checked. To restore it: npx release-task backup --help`
}
