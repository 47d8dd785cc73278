// A long name in one word, as of an event, that may be broken where its words meet.
import { Fragment } from "preact";

export const Humps = ({ name }: { name: string }) => <>{name.split(/(?=[A-Z][a-z])/).map((part, at) => <Fragment key={at}>{at > 0 && <wbr />}{part}</Fragment>)}</>;
