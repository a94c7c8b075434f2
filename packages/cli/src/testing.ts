export * from '@release-task/task-service/testing'
