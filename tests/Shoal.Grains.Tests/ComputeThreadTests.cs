using Microsoft.Extensions.Logging.Abstractions;
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
    public async Task Urgent_work_runs_before_training_and_training_before_refresh()
    {
        using ComputeThread thread = NewThread();
        (Task busy, ManualResetEventSlim release) = Hold(thread);
        List<string> order = [];
        Task refresh = thread.RunAsync(ComputePriority.Refresh, "a", () => order.Add("refresh"));
        Task training = thread.RunAsync(ComputePriority.Training, "a", () => order.Add("training"));
        Task urgent = thread.RunAsync(ComputePriority.Urgent, "a", () => order.Add("urgent"));
        release.Set();
        await Task.WhenAll(busy, refresh, training, urgent);
        Assert.Equal(["urgent", "training", "refresh"], order);
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
