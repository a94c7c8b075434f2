import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { command, type CommandOptions } from './command.ts'
import { eventually, startFixture, type Fixture } from './service.fixture.ts'

let fixture: Fixture | null
let dir: string

beforeEach(() => {
  fixture = null
  dir = mkdtempSync(join(tmpdir(), 'command-'))
})
afterEach(async () => {
  await fixture?.close()
  rmSync(dir, { recursive: true, force: true })
})

const OPTIONS = { name: 'c', version: '1', stage: 'true', publish: 'true' }
const RETRY = { firstMs: 10, maxMs: 20 }

/** A service of such programs, told to start. */
async function started(
  options: Partial<CommandOptions>,
  env: Record<string, string> = {},
  task = command({ ...OPTIONS, releaseDir: dir, ...options }),
): Promise<Fixture> {
  const made = await startFixture({ task, env: { MIN_FREE_SPACE: '0', ...env }, retry: RETRY })
  fixture = made
  made.coordinator.shown.set('TA_00000001', 'running')
  await made.act('initialize', { studies: ['SD_00000001', 'SD_00000002'] })
  await made.act('start')
  return made
}

async function reached(made: Fixture, state: string): Promise<any> {
  await eventually(async () => (await made.task()).state === state)
  return made.task()
}

const out = (name: string) => readFileSync(join(dir, name), 'utf8')

/** Whoever has ended, and only waits for its parent to notice, is not alive. */
function isAlive(pid: string): boolean {
  try {
    return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe('what a program is told and says', () => {
  test('words do what they say, steps are kept over attempts, what is staged goes to publish', async () => {
    const stage = `
      echo "$STEPS" >> ${dir}/steps
      cat "$STUDIES_FILE" "$STEPS_FILE" > ${dir}/files
      echo 'content' > "$WORK_DIR/result"
      echo '{"step": "count", "result": {"rows": 3}}'
      [ "$ATTEMPT" = 1 ] && exit 75
      echo '{"progress": 70, "message": "nearly"}'
      echo '{"summary": {"rows": 1}}'
      echo '{"summary": {"rows": 3}, "staged": {"table": "t"}}'`
    const publish = `cp "$STAGE_DIR/result" ${dir}/public; echo "$STAGED $PHASE $STUDIES" > ${dir}/told`
    const made = await started({ stage, publish })
    expect(await reached(made, 'staged')).toMatchObject({ attempt: 2, summary: { rows: 3 } })
    expect(out('steps')).toBe('{}\n{"count":{"rows":3}}\n')
    expect(out('files')).toBe('["SD_00000001","SD_00000002"]{"count":{"rows":3}}')
    await made.act('publish')
    await reached(made, 'published')
    expect(out('public')).toBe('content\n')
    expect(out('told')).toBe('{"table":"t"} publish SD_00000001,SD_00000002\n')
    expect((await made.eventTypes()).filter((type) => type === 'step_finished')).toHaveLength(1)
    // It has ended: nobody needs the folders any more.
    await eventually(() => readdirSync(join(dir, 'programs')).length === 0)
  })

  test('a list runs without a shell, in the folder that was given', async () => {
    writeFileSync(join(dir, 'a script'), '#!/bin/sh\necho "$1" > here\n')
    chmodSync(join(dir, 'a script'), 0o755)
    const made = await started({ stage: ['./a script', '$HOME; exit 1'], cwd: dir })
    await reached(made, 'staged')
    expect(out('here')).toBe('$HOME; exit 1\n')
  })

  test('more output than any buffer holds, on both streams, blocks nothing', async () => {
    const flood = `head -c 3000000 /dev/zero | tr '\\0' x`
    const stage = `(${flood}; echo) & (${flood} | fold -w 5000) >&2; wait; echo '{"summary": {"end": true}}'`
    expect(await reached(await started({ stage }), 'staged')).toMatchObject({ summary: { end: true } })
  })

  test('what left the group, and took off its mark, keeps no run from ending', async () => {
    const stage = `env -i setsid /bin/sh -c 'echo $$ > ${dir}/pid; exec sleep 100' & until [ -s ${dir}/pid ]; do :; done`
    await reached(await started({ stage }), 'staged')
    process.kill(Number(out('pid')), 'SIGKILL')
  })

  test('a token that it was given is in no log, message, summary or error, wherever it says it', async () => {
    const token = 'a.token-of-its-own'
    const logged: string[] = []
    const info = (line: string) => void logged.push(line)
    const say =
      'echo "$COORDINATOR_TOKEN at $COORDINATOR_API"; echo "{\\"message\\": \\"$COORDINATOR_TOKEN\\"}"'
    const end = '[ "$ATTEMPT" = 1 ] && exit 75; echo "{\\"summary\\": {\\"t\\": \\"$COORDINATOR_TOKEN\\"}}"'
    const task = command({ ...OPTIONS, stage: `${say}; (${say}) >&2; sleep 0.05; ${end}`, releaseDir: dir })
    const stage: typeof task.stage = (context) => {
      const access = async () => ({ url: 'http://coordinator', token })
      const coordinator = { ...context.coordinator, access }
      return task.stage({ ...context, coordinator, log: { info, warn: info, error: info } })
    }
    const made = await started({}, {}, { ...task, stage })
    const shown = await reached(made, 'staged')
    expect(shown).toMatchObject({ summary: { t: '[token]' }, message: '[token]' })
    expect(logged).toContain('[token] at http://coordinator')
    expect(JSON.stringify([shown, await made.events(), logged])).not.toContain(token)
  })

  test('a step that cannot be kept ends the run, and is its error', async () => {
    const big = `head -c 300000 /dev/zero | tr '\\0' x`
    const stage = `printf '{"step": "big", "result": "'; ${big}; echo '"}'; sleep 100`
    const made = await started({ stage })
    await eventually(async () => (await made.task()).last_error !== null)
    expect((await made.task()).last_error.message).toMatch(/step "big" cannot be kept/)
  })
})

describe('how it ends', () => {
  test('another exit code fails stage for good; discard is told where it came from and has nothing staged', async () => {
    const discard = `echo "$FROM_STATE $STAGED" > ${dir}/undone`
    const made = await started({ stage: 'echo why >&2; exit 2', discard })
    const task = await reached(made, 'failed')
    expect(task).toMatchObject({ attempt: expect.any(Number), summary: null })
    expect(task.last_error.message).toBe('"echo why >&2; exit 2" ended with exit code 2: why')
    await eventually(async () => (await made.task()).cleanup === 'done')
    expect(out('undone')).toBe('running null\n')
    await eventually(() => readdirSync(join(dir, 'programs')).length === 0)
  })

  test.each([
    ['no/such/program', 'ENOENT'],
    [import.meta.filename, 'EACCES'],
  ])('%s cannot be run: for good, and named (%s)', async (file, code) => {
    const task = await reached(await started({ stage: [file] }), 'failed')
    expect(task.last_error.message).toMatch(new RegExp(`^Cannot run "${file}".*${code}`))
  })

  test('killed by a signal that was not ours it is tried again', async () => {
    const made = await started({ stage: '[ "$ATTEMPT" = 1 ] && kill -9 $$; true' })
    expect(await reached(made, 'staged')).toMatchObject({ attempt: 2 })
    const failed = (await made.events()).find(({ type }) => type === 'stage_failed')
    expect(failed.message).toContain('was killed by SIGKILL')
  })

  test('children that are left when it ends are ended before the next phase', async () => {
    const made = await started({ stage: `sleep 100 & echo $! > ${dir}/pid` })
    await reached(made, 'staged')
    expect(isAlive(out('pid').trim())).toBe(false)
  })

  test('publish is tried again after any end, and needs attention after one for good', async () => {
    const made = await started({ publish: `[ -e ${dir}/go ] || exit 3` })
    await reached(made, 'staged')
    await made.act('publish')
    await eventually(async () => (await made.task()).needs_attention)
    expect(await made.task()).toMatchObject({ state: 'publishing' })
    writeFileSync(join(dir, 'go'), '')
    await reached(made, 'published')
  })

  test('a program that says 0 when it is told to end has not done its work', async () => {
    const stage = `trap 'exit 0' TERM; echo '{"progress": 5}'; while :; do sleep 0.02; done`
    const made = await started({ stage })
    await eventually(async () => (await made.task()).progress === 5)
    const next = await made.restart(command({ ...OPTIONS, releaseDir: dir }))
    fixture = next
    expect(await reached(next, 'staged')).toMatchObject({ attempt: 2, crashes: 0 })
    expect(await next.eventTypes()).toContain('work_released')
  })
})

test.each([
  [{ stage: '' }, '"stage"'],
  [{ publish: [] }, '"publish"'],
  [{ discard: ['a', 1] }, '"discard"'],
  [{ releaseDir: 'relative' }, '"releaseDir"'],
  [{ graceMs: -1 }, '"graceMs"'],
  [{ name: '' }, '"name"'],
])('%j is refused at once', (wrong, named) => {
  const options = { name: 'a', version: '1', stage: 'true', publish: 'true', ...wrong } as CommandOptions
  expect(() => command(options)).toThrow(named)
})
