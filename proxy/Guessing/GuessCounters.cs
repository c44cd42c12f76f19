using System.Diagnostics.Metrics;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Guessing;

/// <summary>Guesses by rule and outcome, since the start. Thread-safe.</summary>
internal sealed class GuessCounters
{
    private static readonly int s_outcomes = Enum.GetValues<GuessOutcome>().Length;

    private readonly long[] _counts = new long[Enum.GetValues<GuessRule>().Length * s_outcomes];

    /// <summary>Publishes the counts.</summary>
    public GuessCounters(IMeterFactory meters) =>
        meters.Create(ProxyCounters.MeterName).CreateObservableCounter("breakwater.guesses", Totals, "{object}",
            "Objects fetched by a guess in a boot of which nothing was known, by rule and by whether they were in the store before they "
            + "were asked for, under way, or fetched in vain.");

    /// <summary>Guesses of a rule that came to this.</summary>
    public long Of(GuessRule rule, GuessOutcome outcome) => Interlocked.Read(ref _counts[Place(rule, outcome)]);

    /// <summary>One more.</summary>
    public void Add(GuessRule rule, GuessOutcome outcome) => Interlocked.Increment(ref _counts[Place(rule, outcome)]);

    private static int Place(GuessRule rule, GuessOutcome outcome) => ((int)rule * s_outcomes) + (int)outcome;

    private IEnumerable<Measurement<long>> Totals() =>
        from rule in Enum.GetValues<GuessRule>()
        from outcome in Enum.GetValues<GuessOutcome>()
        select new Measurement<long>(Of(rule, outcome), new KeyValuePair<string, object?>("rule", Word(rule)),
            new KeyValuePair<string, object?>("outcome", Word(outcome)));

    private static string Word(GuessRule rule) => rule switch
    {
        GuessRule.Neighbour => "neighbour",
        GuessRule.NestedCatalog => "catalog",
        GuessRule.NextChunk => "chunk",
        GuessRule.Program => "program",
        GuessRule.Module => "module",
        _ => "command",
    };

    private static string Word(GuessOutcome outcome) => outcome switch
    {
        GuessOutcome.Before => "before",
        GuessOutcome.UnderWay => "under_way",
        _ => "in_vain",
    };
}
