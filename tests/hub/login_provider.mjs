// An OpenID provider with its login page on a site of its own: `node login_provider.mjs PORT CALLBACK`.
// As careful providers do, it forbids its pages to know who opened them, and to be framed.
import { Provider } from 'oidc-provider';

const [port, callback] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'hub',
      client_secret: 'of-a-test',
      redirect_uris: [callback],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  cookies: { keys: ['of-a-test'] },
  claims: { openid: ['sub'] },
  pkce: { required: () => false },
});
provider.use(async (context, next) => {
  context.set('Cross-Origin-Opener-Policy', 'same-origin');
  context.set('Referrer-Policy', 'no-referrer');
  await next();
});
provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
