import type { Desk } from './desk.ts'
import type { Release } from './documents.ts'
import { CommandError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { printable } from './printable.ts'
import { isEnd } from './reached.ts'
import { cancellationText, publicationText } from './release-text.ts'
import { confirm, needsYes } from './terminal.ts'

/** `releases publish`: asks, with what becomes public, unless it was told not to. @throws CommandError */
export async function publish({ coordinator, print }: Desk, id: string, yes: boolean): Promise<void> {
  const [typed, look] = [`release-task releases publish ${id}`, `release-task releases show ${id}`]
  needsYes(yes, typed)
  if (!yes) {
    const release = await coordinator.ask<Release>(`/releases/${id}`, { look })
    if (release.state !== 'staged') throw notStaged(release)
    await confirm(publicationText(printable(release)), 'Publish it?', typed)
  }
  await coordinator.ask(`/releases/${id}/publish`, { method: 'POST', look })
  print({ kf_id: id, state: 'publishing' }, () => [
    `${id} is being published. Next: release-task releases wait ${id} --for published`,
  ])
}

function notStaged({ kf_id, state }: Release): CommandError {
  const next = isEnd(state)
    ? `release-task releases show ${kf_id}`
    : `release-task releases wait ${kf_id} --for staged`
  return new CommandError('REFUSED', `${kf_id} is ${state}, and only a staged release can be published`, next)
}

/**
 * `releases cancel`: asks unless it was told not to. One that has ended stays as it is, and only a published one is
 * an error then. @throws CommandError
 */
export async function cancel({ coordinator, print }: Desk, id: string, yes: boolean): Promise<number> {
  const [typed, look] = [`release-task releases cancel ${id}`, `release-task releases show ${id}`]
  needsYes(yes, typed)
  if (!yes) {
    const release = await coordinator.ask<Release>(`/releases/${id}`, { look })
    if (!isEnd(release.state)) await confirm(cancellationText(printable(release)), 'Cancel it?', typed)
  }
  const release = await coordinator.ask<Release>(`/releases/${id}`, { method: 'DELETE', look })
  if (release.state === 'published')
    throw new CommandError('REFUSED', `${id} is published, and cannot be canceled any more`, look)
  print(release, canceledText)
  return EXIT.done
}

function canceledText({ kf_id, state }: Release): string[] {
  if (state !== 'canceling') return [`${kf_id} has ended: ${state}`]
  return [`${kf_id} is being canceled. Next: release-task releases wait ${kf_id} --for canceled`]
}
