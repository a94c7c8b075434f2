import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState } from 'react'
import type { Me } from '../api-types.ts'
import { usePageParts } from '../page-parts.ts'
import { meQuery, signInQuery } from '../queries.ts'
import { part } from '../stale-build.ts'
import { useSession } from './use-page.ts'

const SignInDialog = lazy(part(() => import('./sign-in-dialog.tsx')))

/** Who is signed in and as what, and the way in and out. */
export function Account() {
  const { api, session } = usePageParts()
  const [isOpen, setOpen] = useState(false)
  const known = useSession()
  const me = useQuery(meQuery(api)).data
  const ways = useQuery(signInQuery(api)).data
  useExpiry(me, ways?.auth === 'on')
  if (ways?.auth === 'off')
    return (
      <span className="muted nowrap" title="AUTH=off: nothing checks who calls">
        No sign-in
      </span>
    )
  return (
    <>
      {known.kind === 'signed-in' ? (
        <SignedIn me={me} onOut={() => session.signOut()} />
      ) : (
        <Button
          size="xs"
          variant={known.kind === 'expired' ? 'filled' : 'default'}
          onClick={() => setOpen(true)}
        >
          {known.kind === 'expired' ? 'Sign in again' : 'Sign in'}
        </Button>
      )}
      {isOpen && known.kind !== 'signed-in' && (
        <Suspense>
          <SignInDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}

function SignedIn({ me, onOut }: { readonly me: Me | undefined; readonly onOut: () => void }) {
  return (
    <span className="account">
      <span className="account-name">
        <span className="wide-only">{me?.subject ?? '…'}</span> <strong>{me?.roles.join(', ')}</strong>
      </span>
      <Button size="xs" variant="default" onClick={onOut}>
        Sign out
      </Button>
    </span>
  )
}

/** A read with a token that is worth nothing is answered as if there were none: `/me` tells. */
function useExpiry(me: Me | undefined, isOn: boolean): void {
  const { session } = usePageParts()
  const { dataUpdatedAt } = useQuery(meQuery(usePageParts().api))
  useEffect(() => {
    const token = session.token()
    if (isOn && token !== null && me?.subject === null) session.expire(token)
  }, [session, me, isOn, dataUpdatedAt])
}

/** Says that the sign-in has ended, where it has. */
export function ExpiryBanner() {
  const known = useSession()
  if (known.kind !== 'expired') return null
  return (
    <div className="old-banner" role="alert">
      <strong>Your sign-in has expired.</strong> You still see what everybody may see. Sign in again to change
      anything.
    </div>
  )
}
