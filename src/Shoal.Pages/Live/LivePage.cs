using Microsoft.AspNetCore.Components;
using Shoal.Contracts;
using Shoal.Pages.Data;

namespace Shoal.Pages.Live;

/// <summary>A page over a view: it watches while it is open, and draws itself anew after each reading, for who may see it.</summary>
/// <remarks>Views are one for all: whether somebody may see what is read is asked here, when the page is opened and after each reading.</remarks>
/// <typeparam name="T">What it shows.</typeparam>
public abstract class LivePage<T> : ComponentBase, IDisposable
    where T : class
{
    private LiveView<T>? _view;
    private IDisposable? _watch;
    private string? _key;
    private string? _refusal;
    private bool _isLeft;

    /// <summary>All views.</summary>
    [Inject]
    public LiveViews Views { get; set; } = default!;

    /// <summary>Who uses the page.</summary>
    [Inject]
    public PageAccess Access { get; set; } = default!;

    /// <summary>What the page shows now.</summary>
    protected LiveState<T> State => _refusal is { } why ? new LiveState<T> { Problem = why } : _view?.State ?? new LiveState<T>();

    /// <summary>What who uses the page may do.</summary>
    protected PageRights Rights { get; private set; } = PageRights.None;

    /// <summary>What is said to who may not see it.</summary>
    protected virtual string Refusal => "Your key does not let you see this page.";

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

    /// <summary>Whether somebody may see it.</summary>
    /// <param name="rights">What they may.</param>
    protected abstract bool IsFor(PageRights rights);

    /// <summary>Reads now, after an edit.</summary>
    protected Task RefreshAsync() => _view?.RefreshAsync() ?? Task.CompletedTask;

    /// <inheritdoc/>
    protected override async Task OnParametersSetAsync()
    {
        if (string.Equals(_key, Key, StringComparison.Ordinal))
        {
            return;
        }

        string key = Key;
        _key = key;
        Leave();
        await LookAsync();
        if (_refusal is null && !_isLeft && string.Equals(_key, key, StringComparison.Ordinal))
        {
            _view = Find();
            _watch = _view.Watch(() => _ = InvokeAsync(ShowAsync));
        }
    }

    /// <summary>Stops watching.</summary>
    /// <param name="disposing">False from a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            _isLeft = true;
            Leave();
        }
    }

    private async Task ShowAsync()
    {
        await LookAsync();
        if (_refusal is not null)
        {
            Leave();
        }

        StateHasChanged();
    }

    private async Task LookAsync()
    {
        try
        {
            Rights = await Access.RightsAsync();
            _refusal = IsFor(Rights) ? null : Refusal;
        }
        catch (ShoalException away)
        {
            // Who was let in stays for as long as nothing else is known, as streams of the API do.
            _refusal = _view is null ? away.Message : null;
        }
    }

    private void Leave()
    {
        _watch?.Dispose();
        (_watch, _view) = (null, null);
    }
}
