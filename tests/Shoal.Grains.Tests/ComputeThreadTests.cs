using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shoal.Contracts;
using Shoal.Grains.Compute;

namespace Shoal.Grains.Tests;

public sealed class ComputeThreadTests
{
    private static ComputeThread NewThread(int queue = 100) =>
        new(new ComputeOptions { QueueLength = queue, IntraOpThreads = 1 }, TimeProvider.System, NullLogger<ComputeThread>.Instance);

    /// <summary>Holds the thread busy, so that what is queued meanwhile shows the order in which it is taken.</summary>
    private static (Task Busy, ManualResetEventSlim Release) Hold(ComputeThread thread)
    {
        var release = new ManualResetEventSlim();
        var started = new ManualResetEventSlim();
        Task busy = thread.RunAsync(ComputePriority.Urgent, "hold", () =>
        {
            started.Set();
            release.Wait();
        });
        started.Wait();
        return (busy, release);
    }

    [Fact]
    public async Task Urgent_work_runs_before_arrivals_those_before_training_and_training_before_refresh()
    {
        using ComputeThread thread = NewThread();
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        List<string> order = [];
        Task refresh = thread.RunAsync(ComputePriority.Refresh, "a", () => order.Add("refresh"));
        Task training = thread.RunAsync(ComputePriority.Training, "a", () => order.Add("training"));
        Task arrivals = thread.RunAsync(ComputePriority.Arrivals, "a", () => order.Add("arrivals"));
        Task urgent = thread.RunAsync(ComputePriority.Urgent, "a", () => order.Add("urgent"));
        release.Set();
        await Task.WhenAll(busy, refresh, training, arrivals, urgent);
        Assert.Equal(["urgent", "arrivals", "training", "refresh"], order);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(0)]
    public async Task What_floods_a_silo_leaves_training_its_share(double share)
    {
        var time = new FakeTimeProvider();
        using var thread = new ComputeThread(new ComputeOptions { TrainingShare = share, IntraOpThreads = 1 }, time, NullLogger<ComputeThread>.Instance);
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        var (arrivals, training) = (TimeSpan.Zero, TimeSpan.Zero);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Arrive() => Take(TimeSpan.FromMilliseconds(20), took => arrivals += took, ComputePriority.Arrivals, Arrive);
        void Train() => Take(TimeSpan.FromMilliseconds(300), took => training += took, ComputePriority.Training, Train);
        void Take(TimeSpan took, Action<TimeSpan> add, ComputePriority priority, Action next)
        {
            time.Advance(took);
            add(took);
            if (arrivals + training < TimeSpan.FromMinutes(2))
            {
                // There is always more of either.
                _ = thread.RunAsync(priority, "a", next);
            }
            else
            {
                over.TrySetResult();
            }
        }

        _ = thread.RunAsync(ComputePriority.Training, "a", Train);
        _ = thread.RunAsync(ComputePriority.Arrivals, "a", Arrive);
        release.Set();
        await busy;
        await over.Task;
        Assert.Equal(share, training / (arrivals + training), 0.02);
    }

    [Fact]
    public async Task Long_training_lets_arrivals_pass_while_they_have_something_in_hand()
    {
        var time = new FakeTimeProvider();
        using var thread = new ComputeThread(new ComputeOptions { IntraOpThreads = 1 }, time, NullLogger<ComputeThread>.Instance);
        List<string> order = [];
        await thread.RunAsync(ComputePriority.Training, "a", () =>
        {
            // Three seconds of arrivals are in hand after one of training, and no more after ten.
            time.Advance(TimeSpan.FromSeconds(10));
            for (var i = 0; i < 5; i++)
            {
                _ = thread.RunAsync(ComputePriority.Arrivals, "a", () =>
                {
                    time.Advance(TimeSpan.FromSeconds(0.8));
                    order.Add("arrival");
                });
            }

            thread.RunUrgent();
            order.Add("training");
        });
        await thread.RunAsync(ComputePriority.Refresh, "a", () => order.Add("refresh"));
        Assert.Equal(["arrival", "arrival", "arrival", "arrival", "training", "arrival", "refresh"], order);
    }

    [Fact]
    public async Task Long_training_lets_urgent_work_pass_between_its_pieces()
    {
        using ComputeThread thread = NewThread();
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        List<string> order = [];
        Task urgent = Task.CompletedTask;
        Task training = thread.RunAsync(ComputePriority.Training, "a", () =>
        {
            order.Add("first piece");
            urgent = thread.RunAsync(ComputePriority.Urgent, "a", () => order.Add("urgent"));
            thread.RunUrgent();
            order.Add("second piece");
        });
        release.Set();
        await Task.WhenAll(busy, training);
        await urgent;
        Assert.Equal(["first piece", "urgent", "second piece"], order);
        Assert.Throws<InvalidOperationException>(thread.RunUrgent);
    }

    [Fact]
    public async Task Refresh_is_not_charged_for_the_arrivals_that_pass_it()
    {
        var time = new FakeTimeProvider();
        using var thread = new ComputeThread(new ComputeOptions { RefreshShare = 0.1, IntraOpThreads = 1 }, time, NullLogger<ComputeThread>.Instance);
        await thread.RunAsync(ComputePriority.Refresh, "a", () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            _ = thread.RunAsync(ComputePriority.Arrivals, "a", () => time.Advance(TimeSpan.FromSeconds(100)));
            thread.RunUrgent();
        });

        // Nine milliseconds later it may go on beside training that never pauses; of a hundred seconds it would be a quarter of an hour.
        Task pausing = thread.RunAsync(ComputePriority.Training, "a", () => time.Advance(TimeSpan.FromMilliseconds(10)));
        Task refresh = thread.RunAsync(ComputePriority.Refresh, "a", () => { });
        await Task.WhenAll(pausing, refresh).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Datasets_of_one_priority_take_turns()
    {
        using ComputeThread thread = NewThread();
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        List<string> order = [];
        Task[] work =
        [
            thread.RunAsync(ComputePriority.Training, "a", () => order.Add("a1")),
            thread.RunAsync(ComputePriority.Training, "a", () => order.Add("a2")),
            thread.RunAsync(ComputePriority.Training, "b", () => order.Add("b1")),
        ];
        release.Set();
        await Task.WhenAll([busy, .. work]);
        Assert.Equal(["a1", "b1", "a2"], order);
    }

    [Fact]
    public async Task A_full_queue_is_refused_as_overload()
    {
        using ComputeThread thread = NewThread(queue: 1);
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        Task first = thread.RunAsync(ComputePriority.Training, "a", () => { });
        var refused = await Assert.ThrowsAsync<ShoalException>(() => thread.RunAsync(ComputePriority.Training, "a", () => { }));
        Assert.Equal(ShoalErrorKind.Overloaded, refused.Kind);
        Assert.Equal("1 Training requests wait for this silo's compute thread; try again in a second.", refused.Message);
        release.Set();
        await Task.WhenAll(busy, first);
    }

    [Fact]
    public async Task A_failure_reaches_its_caller_and_the_thread_goes_on()
    {
        using ComputeThread thread = NewThread();
        await Assert.ThrowsAsync<InvalidOperationException>(() => thread.RunAsync<int>(ComputePriority.Training, "a", () => throw new InvalidOperationException("mine")));
        Assert.Equal(3, await thread.RunAsync(ComputePriority.Training, "a", () => 3));
    }

    [Fact]
    public async Task Work_that_waits_when_the_silo_stops_is_refused()
    {
        ComputeThread thread = NewThread();
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        Task waiting = thread.RunAsync(ComputePriority.Training, "a", () => { });
        Task dispose = Task.Run(thread.Dispose);
        // Dispose has marked the thread as stopping once new work is refused as such; a full queue refuses, too.
        while (thread.RunAsync(ComputePriority.Refresh, "a", () => { }).Exception?.InnerException is not ShoalException { Kind: ShoalErrorKind.Unavailable })
        {
            await Task.Yield();
        }

        release.Set();
        await busy;
        await dispose;
        Assert.Equal(ShoalErrorKind.Unavailable, (await Assert.ThrowsAsync<ShoalException>(() => waiting)).Kind);
    }
}
