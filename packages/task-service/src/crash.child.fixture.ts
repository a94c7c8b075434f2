import { appendFileSync, existsSync } from 'node:fs'
import { readConfig } from './config.ts'
import { defineTask, type TaskContext } from './define.ts'
import { serve } from './serve.ts'

// A whole service in a process of its own, so that a test can kill it. Its effects go to a file outside of its state.
const [effects = '', hang = ''] = process.argv.slice(2)

function note(task: TaskContext, what: string): null {
  appendFileSync(effects, `${what} ${task.attempt}\n`)
  return null
}

/** Begins, may stay in the middle for ever, ends. The step in it counts how often it really ran. */
async function phase(task: TaskContext, name: string): Promise<void> {
  note(task, `${name} began`)
  await task.step('once', () => note(task, `${name} step`))
  // The test says by a file where to stay; the next process finds it gone.
  if (existsSync(`${hang}-${name}`)) {
    process.send?.({ type: 'hangs', name })
    await new Promise(() => undefined)
  }
  note(task, `${name} ended`)
}

const task = defineTask({
  name: 'crash',
  version: '1.0.0',
  stage: (context) => phase(context, 'stage'),
  publish: (context) => phase(context, 'publish'),
  discard: (context) => phase(context, 'discard'),
})

const { url } = await serve(task, readConfig())
process.send?.({ type: 'listening', url })
