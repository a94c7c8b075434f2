import { Button, Group } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { LocalWay, OidcWay, Role } from '../api-types.ts'
import { usePageParts } from '../page-parts.ts'
import { signInQuery } from '../queries.ts'
import { goToProvider, signInLocally } from '../sign-in.ts'
import { announce } from './announcer.tsx'
import { Dialog } from './dialog.tsx'
import { Empty, ErrorNotice } from './notice.tsx'
import { QueryView } from './query-view.tsx'

const ROLE_MEANING: { readonly [role in Role]: string } = {
  viewer: 'Viewer: reads everything',
  developer: 'Developer: makes releases, registers services',
  admin: 'Admin: publishes, cancels, writes notes',
}

/** All ways in that the coordinator tells. */
export default function SignInDialog({ onClose }: { readonly onClose: () => void }) {
  const { api } = usePageParts()
  const query = useQuery(signInQuery(api))
  const [error, setError] = useState<unknown>(null)
  return (
    <Dialog title="Sign in" onClose={onClose}>
      <QueryView query={query}>
        {({ ways }) =>
          ways.length === 0 ? (
            <Empty title="There is no way to sign in here.">
              Whoever runs the coordinator sets an identity provider for the dashboard.
            </Empty>
          ) : (
            ways.map((way) =>
              way.kind === 'local' ? (
                <LocalWays key={way.token_url} way={way} onError={setError} onDone={onClose} />
              ) : (
                <ProviderWay key={way.authorization_endpoint} way={way} onError={setError} />
              ),
            )
          )
        }
      </QueryView>
      {error !== null && <ErrorNotice error={error} />}
    </Dialog>
  )
}

function LocalWays(props: {
  readonly way: LocalWay
  readonly onError: (error: unknown) => void
  readonly onDone: () => void
}) {
  const { session } = usePageParts()
  const { way, onError, onDone } = props
  const enter = (role: Role) =>
    signInLocally(way, role).then(({ token, expiresInS }) => {
      session.signIn(token, expiresInS)
      announce(`Signed in as ${role}.`)
      onDone()
    }, onError)
  return (
    <div className="stack tight">
      <p>This coordinator runs on one machine with an issuer of its own. Choose a role to try.</p>
      {way.roles.map((role) => (
        <Button
          key={role}
          variant="default"
          justify="flex-start"
          fullWidth
          className="role"
          onClick={() => void enter(role)}
        >
          {ROLE_MEANING[role] ?? role}
        </Button>
      ))}
    </div>
  )
}

function ProviderWay({
  way,
  onError,
}: {
  readonly way: OidcWay
  readonly onError: (error: unknown) => void
}) {
  const { store } = usePageParts()
  const go = () =>
    goToProvider(way, store, location.pathname + location.search).then((url) => location.assign(url), onError)
  return (
    <Group justify="space-between">
      <p>Your account at {new URL(way.authorization_endpoint).hostname}</p>
      <Button onClick={() => void go()}>Sign in</Button>
    </Group>
  )
}
