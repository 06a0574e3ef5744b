using Microsoft.Extensions.Time.Testing;
using Shoal.Contracts;
using Shoal.Pages.Live;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>Views that many pages watch.</summary>
public sealed class LiveViewTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeSource _source = new();

    [Fact]
    public async Task Fifty_open_pages_cost_what_one_does()
    {
        var views = new LiveViews(_source, _time, CancellationToken.None);
        int[] told = new int[50];
        IDisposable[] watches = [.. Enumerable.Range(0, told.Length).Select(page => views.Silos().Watch(() => Interlocked.Increment(ref told[page])))];

        await UntilAsync(() => told.Min() >= 3);

        // One reading of silos is two calls where there are no datasets; the last ones may still be told of.
        Assert.InRange(_source.Calls, 2 * told.Min(), 2 * (told.Max() + 2));
        Assert.True(told.Max() - told.Min() <= 2, $"Pages were told {told.Min()} to {told.Max()} times.");
        Assert.All(watches, watch => watch.Dispose());
    }

    [Fact]
    public async Task A_view_that_nobody_watches_ends_and_the_next_page_begins_another()
    {
        var views = new LiveViews(_source, _time, CancellationToken.None);
        LiveView<SilosModel> view = views.Silos();
        int told = 0;
        using (view.Watch(() => Interlocked.Increment(ref told)))
        {
            await UntilAsync(() => Volatile.Read(ref told) > 0);
            Assert.Same(view, views.Silos());
        }

        await UntilAsync(() => !ReferenceEquals(view, views.Silos()));
        int calls = _source.Calls;
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(calls, _source.Calls);
    }

    [Fact]
    public async Task A_failure_is_shown_beside_what_was_read_before_and_goes_when_reading_works_again()
    {
        var views = new LiveViews(_source, _time, CancellationToken.None);
        LiveView<SilosModel> view = views.Silos();
        Assert.True(view.State.IsLoading);
        using IDisposable watch = view.Watch(() => { });
        await UntilAsync(() => view.State.Value is not null);

        _source.Failure = new ShoalException(ShoalErrorKind.Unavailable, "The silo cannot be reached.");
        await UntilAsync(() => view.State.Problem is not null);
        Assert.Equal("The silo cannot be reached.", view.State.Problem);
        Assert.NotNull(view.State.Value);
        Assert.False(view.State.IsLoading);

        _source.Failure = null;
        await UntilAsync(() => view.State.Problem is null);
    }

    [Fact]
    public async Task An_edit_is_seen_at_once()
    {
        using var view = new LiveView<object>(_ => Task.FromResult(new object()), TimeSpan.FromHours(1), _time);
        int told = 0;
        using IDisposable watch = view.Watch(() => Interlocked.Increment(ref told));
        await UntilAsync(() => Volatile.Read(ref told) == 1, advance: false);
        object before = view.State.Value!;

        await view.RefreshAsync();

        Assert.Equal(2, told);
        Assert.NotSame(before, view.State.Value);
    }

    [Fact]
    public async Task A_watch_that_ends_twice_ends_no_other()
    {
        using var view = new LiveView<object>(_ => Task.FromResult(new object()), TimeSpan.FromHours(1), _time);
        int told = 0;
        Action same = () => Interlocked.Increment(ref told);
        IDisposable first = view.Watch(same);
        await UntilAsync(() => Volatile.Read(ref told) == 1, advance: false);
        using IDisposable second = view.Watch(same);

        first.Dispose();
        first.Dispose();
        await view.RefreshAsync();

        Assert.Equal(2, told);
    }

    // The clock goes on until it has happened; how often it must depends on when the view's task gets its turn.
    private async Task UntilAsync(Func<bool> happened, bool advance = true)
    {
        for (int turn = 0; !happened(); turn++)
        {
            Assert.True(turn < 1_000_000, "It has not happened after a million turns.");
            if (advance)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            await Task.Yield();
        }
    }
}
