// What the pages of the local platform do by themselves. Without it, each page can be read, and each form sent.
(function () {
  "use strict";

  var TYPING_MS = 150;
  var TELLING_MS = 900;
  var MOST_ROWS = 200;
  var LATER_MS = 5000;
  var announcer = document.getElementById("announcer");
  var telling;

  document.documentElement.classList.add("scripted");

  function tell(text) {
    clearTimeout(telling);
    telling = setTimeout(function () { announcer.textContent = text; }, TELLING_MS);
  }

  // Buttons that copy. They are hidden until there is somebody to answer them.
  function showButtons(within) {
    within.querySelectorAll("[data-copy], [data-scripted]").forEach(function (button) { button.hidden = false; });
  }

  function byHand(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("aria-hidden", "true");
    area.className = "unseen";
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function copy(text) {
    return navigator.clipboard ? navigator.clipboard.writeText(text).catch(function () { return byHand(text); }) : byHand(text);
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) { return; }
    var source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    copy(source ? source.textContent : button.dataset.copy).then(
      function () { said(button, "Copied"); tell("Copied"); },
      function () { said(button, "Not copied"); tell("The browser does not let this page copy"); }
    );
  });

  function said(button, word) {
    var text = button.firstChild, before = "Copy";
    button.focus();
    text.data = word;
    setTimeout(function () { text.data = before; }, 1500);
  }

  // A form whose result is shown while one types. The platform's own renderer makes it.
  document.querySelectorAll("[data-fill]").forEach(function (form) {
    var target = document.querySelector(form.dataset.fill), waiting, asked;

    function fill() {
      if (asked) { asked.abort(); }
      asked = new AbortController();
      fetch(form.action, {
        method: "POST",
        headers: { "X-Scope-Part": "filled" },
        body: new URLSearchParams(new FormData(form)),
        signal: asked.signal
      }).then(function (answer) {
        if (!answer.ok) { throw new Error(String(answer.status)); }
        return answer.text();
      }).then(function (html) {
        target.innerHTML = html;
        showButtons(target);
        var line = target.querySelector("[data-said]");
        if (line) { tell(line.textContent); }
      }).catch(function (error) {
        if (error.name === "AbortError") { return; }
        var line = document.createElement("p");
        line.className = "note wrong";
        line.textContent = "The platform did not fill this in (" + error.message + "). It may have been stopped. What was there before is below.";
        target.querySelectorAll(".note.wrong").forEach(function (each) { each.remove(); });
        target.prepend(line);
        tell(line.textContent);
      });
    }

    form.addEventListener("input", function () {
      clearTimeout(waiting);
      waiting = setTimeout(fill, TYPING_MS);
    });
    // A browser that reloads a page gives the fields back what was typed, and not the result.
    window.addEventListener("pageshow", function () {
      var has = Array.prototype.some.call(form.querySelectorAll("textarea"), function (each) { return each.value; });
      if (has && !target.firstElementChild) { fill(); }
    });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      clearTimeout(waiting);
      fill();
    });
  });

  // The list of prompts, shortened while one types. Enter asks the platform, which also looks into the texts.
  document.querySelectorAll("[data-filter]").forEach(function (field) {
    var list = document.querySelector(field.dataset.filter);
    if (!list) { return; }
    field.addEventListener("input", function () {
      var words = field.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      Array.prototype.forEach.call(list.children, function (item) {
        item.hidden = !words.every(function (word) { return item.dataset.words.indexOf(word) >= 0; });
        shown += item.hidden ? 0 : 1;
      });
      list.hidden = shown === 0;
      tell(shown === 1 ? "1 prompt" : shown + " prompts");
    });
  });

  // Clocks that run.
  var started = new WeakMap();

  function clock(seconds) {
    var whole = Math.max(0, Math.floor(seconds)), minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
    var tail = (hours && minutes < 10 ? "0" : "") + minutes + ":" + (whole % 60 < 10 ? "0" : "") + (whole % 60);
    return hours ? hours + ":" + tail : tail;
  }

  function tick() {
    document.querySelectorAll("[data-since], [data-until]").forEach(function (each) {
      if (!started.has(each)) { started.set(each, performance.now()); }
      var passed = (performance.now() - started.get(each)) / 1000;
      var text = clock(each.dataset.since ? Number(each.dataset.since) + passed : Math.ceil(Number(each.dataset.until) - passed));
      if (each.textContent !== text) { each.textContent = text; }
    });
  }

  tick();
  setInterval(tick, 500);

  // What happens on the platform, as it happens. A page that nobody sees lets go of its connection.
  var state = document.getElementById("state");
  var lost = document.getElementById("lost");
  var rows = document.getElementById("rows");
  var pause = document.getElementById("pause");
  var line = document.getElementById("line");
  var source = null, position = rows ? rows.dataset.after : "", isPaused = false;

  function lineSays(text) {
    if (line && line.textContent !== text) { line.textContent = text; }
  }

  function connect() {
    if (source || isPaused || document.hidden) { return; }
    source = new EventSource("/events" + (rows ? "?requests=1&after=" + position : ""));
    source.addEventListener("hello", function (event) {
      if (event.data !== state.dataset.run) { location.reload(); return; }
      isLost(false);
      lineSays("Live: new requests appear on top.");
    });
    source.addEventListener("state", function (event) { onState(event.data); });
    source.addEventListener("request", function (event) {
      if (rows) { position = event.lastEventId; onRequest(event.data); }
    });
    source.onerror = function () {
      lineSays("Not connected. This page goes on when the platform answers.");
      isLost(true);
      if (source && source.readyState === EventSource.CLOSED) {
        disconnect();
        setTimeout(connect, LATER_MS);
      }
    };
  }

  function isLost(now) {
    if (lost.hidden === !now) { return; }
    lost.hidden = !now;
    state.hidden = now;
    tell(now ? "Not connected to the platform" : state.firstElementChild.dataset.said);
  }

  function disconnect() {
    if (source) { source.close(); source = null; }
  }

  function onState(html) {
    var holder = document.createElement("div"), hadFocus = state.contains(document.activeElement);
    holder.innerHTML = html;
    var isNews = holder.firstElementChild.dataset.said !== state.firstElementChild.dataset.said;
    if (isNews) {
      state.replaceChildren.apply(state, Array.from(holder.childNodes));
      tell(state.firstElementChild.dataset.said);
      if (hadFocus) { (state.querySelector("button") || document.getElementById("content")).focus(); }
      document.querySelectorAll("[data-switch]").forEach(function (each) {
        var isOn = state.querySelector("[data-switch-on='" + each.dataset.switch + "']") !== null;
        each.classList.toggle("on", isOn);
        each.querySelector(".on-mark").hidden = !isOn;
        each.querySelector(".off-button").hidden = !isOn;
        var label = each.querySelector("[data-again]");
        label.textContent = isOn ? label.dataset.again : label.dataset.first;
      });
      return;
    }
    holder.querySelectorAll("[data-hits]").forEach(function (each) {
      document.querySelectorAll("[data-hits='" + each.dataset.hits + "']").forEach(function (shown) {
        if (shown.textContent !== each.textContent) { shown.textContent = each.textContent; }
      });
    });
  }

  function onRequest(html) {
    var holder = document.createElement("tbody");
    holder.innerHTML = html;
    var row = holder.firstElementChild, before = document.getElementById(row.id);
    if (before) {
      before.replaceWith(row);
    } else {
      row.classList.add("new-row");
      rows.prepend(row);
      while (rows.children.length > MOST_ROWS) { rows.lastElementChild.remove(); }
      document.querySelectorAll("[data-nothing]").forEach(function (each) { each.hidden = true; });
    }
  }

  if (pause) {
    pause.addEventListener("click", function () {
      isPaused = !isPaused;
      pause.firstChild.data = isPaused ? "Go on" : "Pause";
      if (isPaused) { disconnect(); lineSays("Paused: what is asked meanwhile is shown when you go on."); } else { connect(); }
    });
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) { disconnect(); } else { connect(); }
  });
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", connect);

  // A form that was changed is not left by accident.
  document.querySelectorAll("[data-careful]").forEach(function (form) {
    var isChanged = form.dataset.careful === "unsaved";
    form.addEventListener("input", function () { isChanged = true; });
    form.addEventListener("submit", function () { isChanged = false; });
    window.addEventListener("beforeunload", function (event) {
      if (isChanged) { event.preventDefault(); }
    });
  });

  // The form of a new prompt speaks of the type that is chosen.
  var type = document.getElementById("f-type");

  function showType() {
    document.querySelectorAll("[data-type]").forEach(function (each) { each.hidden = each.dataset.type !== type.value; });
  }

  if (type) {
    type.addEventListener("change", showType);
    window.addEventListener("pageshow", showType);
    showType();
  }

  // A notice is said once: it is not so for ever, and a reload would say it again.
  if (document.querySelector("[data-notice]")) { history.replaceState(null, "", location.pathname); }

  showButtons(document);
  connect();
}());
