namespace Shoal.Benchmarks.Simulation;

// The remedy of groups: seats hand models up a tree of leaders, who merge, and take what is settled down the same way.
internal sealed partial class SimulatedDataset
{
    /// <summary>Seats of a group, groups of a group of groups, and so on.</summary>
    private const int GroupSize = 16;

    private readonly Dictionary<(long Round, int Level, int Group), (List<int> Members, int Came, Signal Full)> _groups = [];

    private async Task HandOverAsync(int seat, SimulatedRound round, long term)
    {
        if (!_fleet.Has(Remedy.Groups))
        {
            await DeliverAsync(seat, round, term, [seat]);
            return;
        }

        List<int> members = [seat];
        for (int level = 0, width = 1; Seats > width * GroupSize; level++, width *= GroupSize)
        {
            var group = seat / (width * GroupSize);
            var leader = group * width * GroupSize;
            var key = (round.Number, level, group);
            if (!_groups.TryGetValue(key, out (List<int> Members, int Came, Signal Full) so))
            {
                so = ([], 0, new Signal(_loop));
                // Who is not there in time is not waited for; each level gives the next one its share of the patience.
                _loop.At(round.BegunAt + round.Seconds + (_habits.RoundPatience * (level + 1) / 4), so.Full.Set);
            }

            await _fleet.SendAsync(SiloOf(seat), SiloOf(leader), seat == leader ? 0 : _costs.Model + ReplayShare + (_costs.Bank / Seats * members.Count));
            so = _groups.GetValueOrDefault(key, so);
            so.Members.AddRange(members);
            _groups[key] = so with { Came = so.Came + 1 };
            var children = Math.Min(GroupSize, ((Seats - leader) + width - 1) / width);
            if (so.Came + 1 == children)
            {
                so.Full.Set();
            }

            if (seat != leader)
            {
                // What comes after its leader has gone on is late, as with any round.
                return;
            }

            await so.Full.Wait();
            members = _groups[key].Members;
            await _loop.Delay(children * _costs.Model * _costs.MergeByte);
            _groups.Remove(key);
        }

        await DeliverAsync(seat, round, term, members);
    }

    private async Task AdoptAsync(int seat, int silo)
    {
        if (!_fleet.Has(Remedy.Groups))
        {
            await _fleet.GetAsync(silo, SharedBytes, 3, _blob);
            await PullBankAsync(silo);
            return;
        }

        // Leaders of the highest level read once; each hands on to those below it, whose links share the work.
        var levels = (int)Math.Ceiling(Math.Log(Math.Max(2, Seats), GroupSize));
        var bytes = SharedBytes + _costs.Bank;
        if (seat % (int)Math.Pow(GroupSize, Math.Max(1, levels - 1)) == 0)
        {
            await _fleet.GetAsync(silo, bytes, 4, _blob);
        }

        await _loop.Delay(levels * GroupSize * bytes / _fleet.Scenario.Platform.Link);
    }
}
