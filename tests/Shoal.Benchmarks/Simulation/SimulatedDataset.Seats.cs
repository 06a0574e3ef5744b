namespace Shoal.Benchmarks.Simulation;

// What a seat does: trains, hands over, trains on, and goes on from what all came to when they have.
internal sealed partial class SimulatedDataset
{
    private async Task SeatAsync(int seat, long term)
    {
        var silo = SiloOf(seat);
        await BeginAsync(silo);
        (SimulatedRound round, var seconds) = (Round, _habits.RoundSeconds);
        SimulatedRound? handedOver = null;
        Signal? answered = null;
        while (Term == term)
        {
            // What it trains while the round before is merged counts for the next one.
            await TrainAsync(seat, silo, handedOver is null ? round.Number : handedOver.Number + 1, seconds, term);
            if (Term != term || IsDead(silo))
            {
                return;
            }

            if (handedOver is not null)
            {
                await answered!.Wait();
                if (Term != term)
                {
                    return;
                }

                var adopting = _loop.Now;
                if (handedOver.Delivered.Contains(seat))
                {
                    (round, seconds) = (handedOver.Next!, handedOver.Next!.Seconds);
                    await AdoptAsync(seat, silo);
                }
                else
                {
                    // It came too late: what it did is to be done again, and it begins from what the others came to.
                    Backlog.GiveBack(seat, handedOver.Number);
                    Backlog.GiveBack(seat, handedOver.Number + 1);
                    (round, seconds, handedOver) = (Round, _habits.RoundSeconds, null);
                    await BeginAsync(silo);
                    Note("adopting", ref adopting);
                    continue;
                }

                Note("adopting", ref adopting);
            }

            var began = _loop.Now;
            await _fleet.PutAsync(silo, _costs.Model + _costs.Optimizer + ReplayShare + _costs.Progress, 4);
            Note("writing", ref began);
            await HandOverAsync(seat, round, term);
            (handedOver, answered) = (round, new Signal(_loop));
            (SimulatedRound asked, Signal answer) = (round, answered);
            _loop.Start(async () =>
            {
                await OutcomeAsync(asked);
                answer.Set();
            });
        }
    }

    // Alone it settles by itself, and delivers beside the next round; one delivery at most is on its way.
    private async Task LoneSeatAsync(long term)
    {
        var silo = SiloOf(0);
        await BeginAsync(silo);
        Signal? delivered = null;
        for (SimulatedRound round = Round; Term == term; round = round.Next)
        {
            await TrainAsync(0, silo, round.Number, _habits.RoundSeconds, term);
            if (delivered is not null)
            {
                await delivered.Wait();
            }

            if (Term != term || IsDead(silo))
            {
                return;
            }

            var began = _loop.Now;
            await _fleet.Compute(silo).WorkWholeAsync(_fleet.Settle, SettlePieces, _fleet.Step);
            Note("settling", ref began);
            (delivered, SimulatedRound ended) = (new Signal(_loop), round);
            Signal done = delivered;
            _loop.Start(async () =>
            {
                await DeliverAloneAsync(silo, ended, term);
                done.Set();
            });
            Round = round.Next = new SimulatedRound(_loop, round.Number + 1, _loop.Now, _habits.RoundSeconds);
        }
    }

    private async Task DeliverAloneAsync(int silo, SimulatedRound round, long term)
    {
        await _fleet.PutAsync(silo, _costs.Model + _costs.Optimizer + _costs.Replay + _costs.Progress + _costs.Candidate, 5);
        await _fleet.SendAsync(silo, ModelSilo, _costs.Bank);
        await _gate.Enter();
        if (Term == term)
        {
            await Turn.Use(_costs.Call + (_costs.Bank * _costs.Byte));
            await _fleet.SendAsync(ModelSilo, BankSilo, _costs.Bank);
            await BankTurn.Use(_costs.Call + (_costs.Bank * _costs.Byte));
            await CommitAsync();
            _fleet.Collect(7.0 * (1 + _habits.KeptVersions), 7);
            Backlog.Advance(_loop.Now);
            Backlog.Commit(0, round.Number);
            Commits.Add((_loop.Now, Backlog.Trained));
        }

        _gate.Leave();
    }

    private async Task TrainAsync(int seat, int silo, long round, double seconds, long term)
    {
        Processor compute = _fleet.Compute(silo);
        (var from, var before) = (_loop.Now, compute.Each);
        double got;
        if (_fleet.Has(Remedy.RoundsByWork) && Seats == 1)
        {
            await compute.Work(seconds);
            got = seconds;
        }
        else
        {
            // Rounds end by the clock, with the step that is under way then.
            compute.Enter();
            await _loop.Delay(seconds + (_fleet.Random.NextDouble() * _fleet.Step * compute.Active));
            got = compute.Each - before;
            compute.Leave();
            if (got < _fleet.Step)
            {
                // Others had the thread: a round is a step at least.
                await compute.Work(_fleet.Step - got);
                got = _fleet.Step;
            }
        }

        Trainings.Add((from, _loop.Now));
        if (Term == term && !IsDead(silo))
        {
            Backlog.Advance(_loop.Now);
            Backlog.Take(seat, round, got * _fleet.SamplesPerComputeSecond);
        }
    }

    // Every seat asks again and again; the answer comes with the first question after the end.
    private async Task OutcomeAsync(SimulatedRound round)
    {
        var asks = !_fleet.Has(Remedy.AnswerWhenOver);
        var share = asks ? _costs.Call / (_habits.OutcomeLook + _fleet.Scenario.Platform.RoundTrip) : 0;
        // A seat of a group asks its leader, who asks for all.
        share /= _fleet.Has(Remedy.Groups) ? GroupSize : 1;
        Turn.Background += share;
        await round.Over.Wait();
        Turn.Background -= share;
        if (asks)
        {
            await _loop.Delay(_fleet.Random.NextDouble() * _habits.OutcomeLook);
        }

        await Turn.Use(_fleet.Has(Remedy.Groups) ? _costs.Call / GroupSize : _costs.Call);
        await _loop.Delay(_fleet.Scenario.Platform.RoundTrip);
    }
}
