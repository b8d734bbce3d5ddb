// Use articles with the client of `@hey-api/openapi-ts`, and print what the service did.

import { client } from './client/client.gen';
import { createArticle, deleteArticle, listArticles } from './client/sdk.gen';

const [baseUrl, apiKey] = process.argv.slice(2);
client.setConfig({ baseUrl, auth: apiKey });

const create = (slug: string) =>
  createArticle({ body: { title: `About ${slug}`, slug, text: 'Some text.' } });

/** Return the slugs of each page, following the `Link` header. */
async function listPages(): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { data, response } = await listArticles({ query: { limit: 2, after }, throwOnError: true });
    pages.push(data.map((article) => article.slug));
    const link = response.headers.get('Link')?.match(/^<(.+)>; rel="next"$/);
    after = link ? (new URL(link[1], baseUrl).searchParams.get('after') ?? undefined) : undefined;
  } while (after);
  return pages;
}

async function main(): Promise<void> {
  const created = [await create('one'), await create('two'), await create('three')];
  const conflict = await create('one');
  if (!created[0].data || !conflict.error) throw new Error('the wrong kind of response');
  const pages = await listPages();
  const deleted = await deleteArticle({ path: { article_id: created[0].data.id } });
  const report = {
    created: created.map(({ data }) => data?.slug),
    conflict: [conflict.error.status, conflict.error.type, conflict.error.field],
    pages,
    deleted: deleted.response?.status,
    remaining: await listPages(),
  };
  console.log(JSON.stringify(report));
}

main();
