using Microsoft.AspNetCore.Components;

namespace Shoal.Pages.Live;

/// <summary>A page over a view: it watches while it is open, and draws itself anew after each reading.</summary>
/// <typeparam name="T">What it shows.</typeparam>
public abstract class LivePage<T> : ComponentBase, IDisposable
    where T : class
{
    private LiveView<T>? _view;
    private IDisposable? _watch;
    private string? _key;

    /// <summary>All views.</summary>
    [Inject]
    public LiveViews Views { get; set; } = default!;

    /// <summary>What the page shows now.</summary>
    protected LiveState<T> State => _view?.State ?? new LiveState<T>();

    /// <summary>What the page is about; another one makes it find its view anew.</summary>
    protected abstract string Key { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Finds the page's view.</summary>
    protected abstract LiveView<T> Find();

    /// <summary>Reads now, after an edit.</summary>
    protected Task RefreshAsync() => _view?.RefreshAsync() ?? Task.CompletedTask;

    /// <inheritdoc/>
    protected override void OnParametersSet()
    {
        if (string.Equals(_key, Key, StringComparison.Ordinal))
        {
            return;
        }

        _watch?.Dispose();
        _key = Key;
        _view = Find();
        _watch = _view.Watch(() => _ = InvokeAsync(StateHasChanged));
    }

    /// <summary>Stops watching.</summary>
    /// <param name="disposing">False from a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _watch?.Dispose();
        }
    }
}
