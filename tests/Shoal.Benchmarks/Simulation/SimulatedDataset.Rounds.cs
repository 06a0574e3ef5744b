namespace Shoal.Benchmarks.Simulation;

// The end of a round, as ModelGrain makes it: inside one call, which keeps the others out.
internal sealed partial class SimulatedDataset
{
    // Building the learner, finding clusters, judging, copying out: pieces between which the compute thread serves others.
    private const int SettlePieces = 4;

    private async Task DeliverAsync(int seat, SimulatedRound round, long term, List<int> with)
    {
        // Each has made more keys than the bank holds.
        var bytes = 2_000 + (_fleet.Has(Remedy.FewerKeys) ? _costs.Bank / Seats * with.Count : _costs.Bank);
        await _fleet.SendAsync(SiloOf(seat), ModelSilo, bytes);
        var came = _loop.Now;
        await _gate.Enter();
        _fleet.Phases.Add("delivering", _loop.Now - came);
        await Turn.Use(_costs.Call + (bytes * _costs.Byte));
        if (Term == term)
        {
            if (round == Round)
            {
                round.Delivered.UnionWith(with);
                round.LastAt = _loop.Now;
                Deliveries = Deliveries with { InTime = Deliveries.InTime + with.Count };
                _fleet.Phases.Add("slack", _loop.Now - round.BegunAt - round.Seconds);
                await EndRoundIfOverAsync(asks: false);
            }
            else
            {
                Deliveries = Deliveries with { Late = Deliveries.Late + with.Count };
                _fleet.Phases.Add("slack", _loop.Now - round.BegunAt - round.Seconds);
                foreach (var late in with)
                {
                    _late[late] = _late.GetValueOrDefault(late) + 1;
                    _dealsAnew |= _late[late] % _habits.MostLate == 0;
                }
            }
        }

        _gate.Leave();
    }

    private async Task EndRoundIfOverAsync(bool asks)
    {
        SimulatedRound round = Round;
        if (round.LastAt is null)
        {
            return;
        }

        var missing = Seats - round.Delivered.Count;
        if (missing > 0 && asks)
        {
            // Whether those have nothing to do.
            await Turn.Use(Reports(_fleet.Has(Remedy.Groups) ? Math.Min(missing, GroupSize) : missing));
            await _loop.Delay(ReportTime);
        }

        if (missing == 0 || _loop.Now - round.BegunAt >= round.Seconds + _habits.RoundPatience)
        {
            await EndRoundAsync(round);
        }
    }

    private async Task EndRoundAsync(SimulatedRound round)
    {
        var began = _loop.Now;
        var parts = _fleet.Has(Remedy.Groups) ? Math.Min(GroupSize, round.Delivered.Count) : round.Delivered.Count;
        await SettleAsync(round, parts);
        Note("settling", ref began);
        for (var i = 0; i < parts; i++)
        {
            await _fleet.SendAsync(ModelSilo, BankSilo, _costs.Bank / parts);
            await BankTurn.Use(_costs.Call + (_costs.Bank / parts * _costs.Byte));
            await _loop.Delay(_fleet.Scenario.Platform.RoundTrip / 2);
        }

        Note("pushing", ref began);
        await CommitAsync();
        Note("committing", ref began);
        var objects = (4.0 * Seats) + 5;
        _fleet.Collect(objects * (1 + _habits.KeptVersions), objects);

        Backlog.Advance(_loop.Now);
        foreach (var seat in round.Delivered)
        {
            Backlog.Commit(seat, round.Number);
        }

        Commits.Add((_loop.Now, Backlog.Trained));
        var waited = _loop.Now - round.LastAt!.Value;
        _fleet.Phases.Add("waiting", waited);
        var seconds = Math.Clamp(_habits.WorkForEachWait * waited, _habits.RoundSeconds, _habits.MostRounds * _habits.RoundSeconds);
        Round = round.Next = new SimulatedRound(_loop, round.Number + 1, _loop.Now, seconds);
        round.Over.Set();
    }

    private void Note(string phase, ref double since)
    {
        _fleet.Phases.Add(phase, _loop.Now - since);
        since = _loop.Now;
    }

    // Bank, how stale each shard is, the manifest; and where a version comes of it, every shard is told.
    private async Task CommitAsync()
    {
        Scenario scenario = _fleet.Scenario;
        await BankTurn.Use(_costs.Bank * _costs.Byte);
        await _fleet.PutAsync(BankSilo, _costs.Bank, 1);
        await Turn.Use(scenario.Shards * _costs.Call);
        await _loop.Delay(scenario.Platform.RoundTrip);
        await Turn.Use(ManifestBytes * _costs.Byte);
        await _fleet.PutAsync(ModelSilo, ManifestBytes, 1);
        if (_loop.Now - _publishedAt >= scenario.VersionSeconds)
        {
            _publishedAt = _loop.Now;
            await Turn.Use(scenario.Shards * (_costs.Call + (_fleet.Flows.AnnouncementBytes * _costs.Byte)));
            await _fleet.LinkOutOf(ModelSilo).Use(scenario.Shards * _fleet.Flows.AnnouncementBytes / scenario.Platform.Link);
        }
    }

    // One seat merges and settles; where it takes longer than the model waits, the next one is asked, and so on: what was given up goes on, for nothing.
    private async Task SettleAsync(SimulatedRound round, int parts)
    {
        int[] delivered = [.. round.Delivered.Order()];
        for (var attempt = 0; ; attempt++)
        {
            var settled = new Signal(_loop);
            var done = false;
            var silo = SiloOf(delivered[attempt % delivered.Length]);
            _loop.Start(async () =>
            {
                await WorkAsync(silo, parts, delivered.Length);
                done = true;
                settled.Set();
            });
            _loop.At(_loop.Now + _habits.SettlePatience, settled.Set);
            await settled.Wait();
            if (done)
            {
                return;
            }

            _fleet.Phases.Add("settling", _habits.SettlePatience);
        }
    }

    private async Task WorkAsync(int silo, int parts, int delivered)
    {
        // With groups, samples come joined, as models do.
        var replays = ReplayShare * delivered;
        var bytes = (parts * (_costs.Model + _costs.Progress)) + replays;
        await _fleet.GetAsync(silo, bytes, 3 * parts);
        await _loop.Delay(bytes * _costs.MergeByte);
        await _fleet.Compute(silo).WorkWholeAsync(_fleet.Settle, SettlePieces, _fleet.Step);
        await _fleet.PutAsync(silo, SharedBytes + _costs.Candidate, 4);
    }
}
