/** Source text of a worker, bundled by build.mjs into the page's own file. */
declare module "worker:*" {
  const source: string;
  export default source;
}
