import { defineTask } from '@release-task/task-service'

/** A task without work: what is measured with it is the system around the work. */
export default defineTask({
  name: 'zero-task',
  version: '1.0.0',
  stage: () => undefined,
  publish: () => undefined,
})
