import { Button, Group } from '@mantine/core'

/** Through the pages of a list, with where one is. */
export function Pager(props: {
  readonly offset: number
  readonly size: number
  readonly count: number
  readonly onOffset: (offset: number) => void
}) {
  const { offset, size, count, onOffset } = props
  if (count === 0 || (count <= size && offset === 0)) return null
  const last = Math.min(count, offset + size)
  return (
    <nav aria-label="Pages">
      <Group justify="space-between" mt="sm">
        <span className="muted">
          {Math.min(offset + 1, count)}–{last} of {count.toLocaleString('en')}
        </span>
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            disabled={offset === 0}
            onClick={() => onOffset(Math.max(0, offset - size))}
          >
            Newer
          </Button>
          <Button
            variant="default"
            size="xs"
            disabled={last >= count}
            onClick={() => onOffset(offset + size)}
          >
            Older
          </Button>
        </Group>
      </Group>
    </nav>
  )
}
