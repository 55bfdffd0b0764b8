/**
 * The one script of a page. All that it does can be done without it; the policy names its hash, so that a browser runs no
 * other, whatever came through. It reads text and hides elements, and makes neither markup nor requests.
 */

/** Finds words in groups or rows, folds all groups, copies the mail. */
export const SCRIPT = `'use strict';
const make = (name, more) => Object.assign(document.createElement(name), more);
for (const list of document.querySelectorAll('.filtered')) {
  const items = [...list.querySelectorAll('.group, tbody tr')];
  const texts = items.map((item) => item.textContent.toLowerCase());
  const field = make('input', { type: 'search', placeholder: 'comm, PID, function', autocomplete: 'off' });
  const said = make('span', { className: 'soft' });
  said.setAttribute('role', 'status');
  const find = () => {
    const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let found = 0;
    items.forEach((item, index) => {
      item.hidden = !words.every((word) => texts[index].includes(word));
      if (!item.hidden) found += 1;
    });
    said.textContent = words.length === 0 ? '' : found + ' of ' + items.length + ' contain it';
  };
  field.addEventListener('input', find);
  const label = make('label', { textContent: 'Find ' });
  label.append(field);
  const row = make('p', { className: 'find' });
  row.append(label, said);
  const groups = items.filter((item) => item.matches('details'));
  if (groups.length > 0) {
    const fold = make('button', { type: 'button', textContent: 'Unfold all' });
    fold.addEventListener('click', () => {
      const open = fold.textContent === 'Unfold all';
      for (const group of groups) group.open = open;
      fold.textContent = open ? 'Fold all' : 'Unfold all';
    });
    row.append(fold);
  }
  list.prepend(row);
}
for (const mail of document.querySelectorAll('#mail textarea')) {
  const button = make('button', { type: 'button', textContent: 'Copy the mail' });
  const copied = (done) => {
    button.textContent = done ? 'Copied' : 'Not allowed here: copy by hand';
  };
  button.addEventListener('click', () => {
    mail.select();
    const text = navigator.clipboard;
    if (text) text.writeText(mail.value).then(() => copied(true), () => copied(document.execCommand('copy')));
    else copied(document.execCommand('copy'));
  });
  mail.before(button);
}
`;

/** SHA-256 of it, base64. A test says what it must be. */
export const SCRIPT_HASH = 'uvW5pqRw+rk03w724ywznHmbCchOqmEp6r8gT/1Z3uA=';
