import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ErrorNotice } from '../../components/notice.tsx'
import { PageTitle } from '../../components/page-title.tsx'
import { usePageParts } from '../../page-parts.ts'
import { comeBack } from '../../sign-in.ts'

// A code is good once; React may run an effect twice.
let coming: ReturnType<typeof comeBack> | null = null

/** Where the identity provider sends people back to; on from here to where they were. */
export default function SignedInPage() {
  const { session, store } = usePageParts()
  const navigate = useNavigate()
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    coming ??= comeBack(location.search, store).finally(() => (coming = null))
    coming.then(({ token, expiresInS, returnTo }) => {
      session.signIn(token, expiresInS)
      void navigate({ href: returnTo, replace: true })
    }, setError)
  }, [session, store, navigate])
  return (
    <>
      <PageTitle title="Signing in" />
      {error === null ? <p>One moment.</p> : <ErrorNotice error={error} title="You are not signed in." />}
    </>
  )
}
