import type { Command } from 'commander'
import { group } from '../people/command.ts'
import { coordinatorCheckCommand } from './coordinator-command.ts'
import { taskServiceCommand } from './task-service-command.ts'

/** `release-task check …`: whether somebody else's program follows the contract. */
export function checkCommand(): Command {
  return group('check').addCommand(taskServiceCommand()).addCommand(coordinatorCheckCommand())
}
