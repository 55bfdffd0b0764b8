/** Choices that hide what does not fit, by style alone: they work where no script may run. */

interface Facet {
  /** Names the classes that it chooses among, `state-D`: fit for one, and never a guest's. */
  name: string;
  title: string;
  values: readonly { name: string; title: string; count: number }[];
}

/**
 * One row of buttons a facet; one with a single value is no choice. Stands in an element of class `filtered`. `absent`:
 * classes that nothing has together; then what has the class `none` says so.
 */
export function Filter({
  facets,
  absent,
}: {
  facets: readonly Facet[];
  absent: readonly (readonly string[])[];
}) {
  const shown = facets.filter(({ values }) => values.length > 1);
  return (
    <>
      {shown.length > 0 && (
        <style
          dangerouslySetInnerHTML={{ __html: [...shown.map(rulesOf), ...absent.map(absentRule)].join('\n') }}
        />
      )}
      {shown.map(({ name, title, values }) => (
        <fieldset class="facet">
          <legend>{title}</legend>
          <label>
            <input type="radio" name={name} checked />
            <span>all</span>
          </label>
          {values.map((value) => (
            <label>
              <input type="radio" name={name} class={`pick-${name}-${value.name}`} />
              <span>
                {value.title} <small>{value.count}</small>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
    </>
  );
}

/** Where a browser lacks :has(), all of it is shown. */
const rulesOf = ({ name, values }: Facet): string =>
  values
    .map(
      ({ name: value }) =>
        `.filtered:has(.pick-${name}-${value}:checked) .${name}-any:not(.${name}-${value}) { display: none; }`,
    )
    .join('\n');

const absentRule = (classes: readonly string[]): string =>
  `.filtered${classes.map((name) => `:has(.pick-${name}:checked)`).join('')} .none { display: block; }`;
