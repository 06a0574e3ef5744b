// Where Blazor gives up a lost connection, it is tried on; a silo that no longer knows the page, because it was started again, gets it loaded anew.
(() => {
  const pause = 5000;
  const again = async () => {
    try {
      if (!await Blazor.reconnect()) {
        location.reload();
      }
    } catch {
      setTimeout(again, pause);
    }
  };
  document.getElementById("components-reconnect-modal").addEventListener("components-reconnect-state-changed", change => {
    if (change.detail.state === "rejected") {
      location.reload();
    } else if (change.detail.state === "failed") {
      setTimeout(again, pause);
    }
  });
})();
