export * from '@release-task/task-service'
