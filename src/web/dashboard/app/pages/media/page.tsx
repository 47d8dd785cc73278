export function MediaPage({ id }: { id: string }) {
  return <p>{id}</p>;
}
