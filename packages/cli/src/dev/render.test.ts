import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ReleaseShown, TaskShown } from './coordinator-api.ts'
import { Rates } from './rate.ts'
import { renderRelease } from './render.ts'

function task(fields: Partial<TaskShown>): TaskShown {
  return {
    kf_id: 'TA_00000001',
    state: 'running',
    progress: 43,
    service_name: 'reference-task',
    message: 'SD_BHJXBDQK genomic-files: 12,345 of 60,000 rows',
    summary: null,
    attempt: null,
    last_error: null,
    waiting_for: null,
    ...fields,
  }
}

const running: ReleaseShown = {
  kf_id: 'RE_00000001',
  name: 'Release 1',
  state: 'running',
  version: '0.0.0',
  reason: null,
  studies: [],
  tasks: [
    task({}),
    task({
      kf_id: 'TA_00000002',
      service_name: 'report-task',
      state: 'staged',
      progress: 100,
      message: null,
    }),
  ],
  waiting_for: { what: 'waits for the service to report staged (1 of 2 tasks)', last_error: null },
}

const render = (release: ReleaseShown, width: number, publishInMs: number | null = null) =>
  renderRelease({ release, rates: new Rates(), width, elapsedMs: 4200, publishInMs }).map(
    stripVTControlCharacters,
  )

describe.each([80, 140])('%d columns', (width) => {
  test('a line for each task, names aligned, nothing wider than the terminal', () => {
    const lines = render(running, width)
    expect(lines.every((line) => line.length < width)).toBe(true)
    expect(lines[0]).toBe('RE_00000001 "Release 1" running · 4.2 s')
    expect(lines[1]).toMatch(/^ {2}reference-task █+░+ {2}43% running SD_BHJXBDQK/)
    expect(lines[2]).toMatch(/^ {2}report-task {4}█+ 100% staged$/)
    expect(lines[3]).toContain('waits for the service to report staged')
  })

  test('staged: every word of every summary is there, and what the keys do', () => {
    const summary = {
      studies: 3,
      rows: 100_000,
      bytes: 70_317_801,
      participants: 12_000,
      biospecimens: 18_000,
      genomic_files: 70_000,
    }
    const tasks = [task({ state: 'staged', progress: 100, summary })]
    const lines = render({ ...running, state: 'staged', tasks }, width, 9300)
    expect(lines.every((line) => line.length < width)).toBe(true)
    const text = lines.join(' ').replaceAll(/\s+/g, ' ')
    expect(text).toContain('STAGED: nothing is public yet')
    expect(text).toContain(
      'studies 3, rows 100,000, 70.3 MB, participants 12,000, biospecimens 18,000, genomic files 70,000',
    )
    expect(lines.at(-1)).toBe('Enter publishes · c cancels · publishes by itself in 10 s')
  })
})

test('an error takes the place of the message', () => {
  const lines = render({ ...running, tasks: [task({ last_error: 'the disk is full' })] }, 140)
  expect(lines[1]).toContain('the disk is full')
  expect(lines[1]).not.toContain('genomic-files')
})
