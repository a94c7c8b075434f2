// Many task services in one process, each with its own port and database: a hundred processes would measure the machine.
import { readConfig, serve } from '@release-task/task-service'
import zeroTask from './zero-task.ts'

const [folder = '', coordinatorApi = '', count = '1'] = process.argv.slice(2)
const urls: string[] = []
for (let number = 0; number < Number(count); number++) {
  const name = `zero-task-${number}`
  const config = readConfig({
    PORT: '0',
    COORDINATOR_API: coordinatorApi,
    DATABASE_URL: `sqlite:${folder}/${name}.db`,
    LOG_LEVEL: 'error',
  })
  urls.push((await serve({ ...zeroTask, name }, config)).url)
}
process.send?.({ type: 'listening', url: JSON.stringify(urls) })
process.on('disconnect', () => process.exit())
