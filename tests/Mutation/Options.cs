using System.Globalization;

namespace Breakwater.Mutation;

/// <summary>The command line.</summary>
internal sealed record Options
{
    /// <summary>Which draw.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many mutants.</summary>
    public int Count { get; init; } = 200;

    /// <summary>Only rooms or files whose path begins like this.</summary>
    public string? Room { get; init; }

    /// <summary>Only tell what would be drawn.</summary>
    public bool IsList { get; init; }

    /// <summary>Test processes at a time: tests wait more than they work.</summary>
    public int Jobs { get; init; } = 3;

    /// <summary>Seconds of tests against one mutant, as they take without one.</summary>
    public double BudgetSeconds { get; init; } = 30;

    /// <summary>A vstest filter of the tests that take part; null: all.</summary>
    public string? Filter { get; init; }

    /// <summary>The tree whose code is judged; null: this one. It is copied as it stands, with what is not committed.</summary>
    public string? Tree { get; init; }

    /// <summary>Where the results go; null: perf/results of this tree.</summary>
    public string? Out { get; init; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">It is not understood.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        Options options = new();
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            string Value() => ++i < arguments.Count ? arguments[i] : throw new ArgumentException($"{name} needs a value.");
            options = name switch
            {
                "--seed" => options with { Seed = Number(Value()) },
                "--count" => options with { Count = Number(Value()) },
                "--room" => options with { Room = Value() },
                "--list" => options with { IsList = true },
                "--jobs" => options with { Jobs = Number(Value()) },
                "--budget" => options with { BudgetSeconds = Number(Value()) },
                "--filter" => options with { Filter = Value() },
                "--tree" => options with { Tree = Value() },
                "--out" => options with { Out = Value() },
                _ => throw new ArgumentException(
                    $"Unknown option {name}. Known: --seed --count --room --list --jobs --budget --filter --tree --out; see "
                    + $"tests/Mutation/README.md."),
            };
        }

        return options;
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new ArgumentException($"'{text}' is not a number.");
}
