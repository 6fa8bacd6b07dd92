"use strict";
/** Builds elements. Text enters the page here, as text alone. */
(function () {
  /**
   * Return an element.
   * @param {string} tag Its name, with classes behind dots: `p.note`.
   * @param {object} [attributes] Attributes, and `on…` functions as listeners.
   * @param {...(Node|string|number|null|undefined|Array)} children What is in it.
   */
  safejury.el = function (tag, attributes, ...children) {
    const [name, ...classes] = tag.split(".");
    const element = document.createElement(name);
    if (classes.length) element.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (key === "style") for (const [p, v] of Object.entries(value)) element.style.setProperty(p, v);
      else element.setAttribute(key, value === true ? "" : String(value));
    }
    append(element, children);
    return element;
  };

  function append(parent, children) {
    for (const child of children) {
      if (child === null || child === undefined || child === false) continue;
      if (Array.isArray(child)) append(parent, child);
      else parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }
})();
