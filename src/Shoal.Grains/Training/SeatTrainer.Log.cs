using Microsoft.Extensions.Logging;

namespace Shoal.Grains.Training;

internal sealed partial class SeatTrainer
{
    [LoggerMessage(EventId = 500, EventName = "SeatBegun", Level = LogLevel.Information, Message = "{Dataset}: deal {Term} begins at round {Round}, step {Step}")]
    private partial void LogBegun(string dataset, long term, long round, long step);

    [LoggerMessage(EventId = 501, EventName = "SeatEnded", Level = LogLevel.Information, Message = "{Dataset}: deal {Term} has ended: {Reason}")]
    private partial void LogReplaced(string dataset, long term, string reason);

    [LoggerMessage(EventId = 502, EventName = "SeatFailed", Level = LogLevel.Error, Message = "{Dataset}: training under deal {Term} failed; it begins again from the last checkpoint")]
    private partial void LogFailed(string dataset, long term, Exception exception);
}
