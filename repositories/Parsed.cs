using System.Diagnostics.CodeAnalysis;

namespace Breakwater.Repositories;

/// <summary>
/// What a reader of untrusted bytes hands back: the value, or a sentence that says what is wrong with the bytes. Never both.
/// </summary>
public readonly struct Parsed<T>
    where T : class
{
    private Parsed(T? value, string? problem)
    {
        Value = value;
        Problem = problem;
    }

    /// <summary>The value; null when there is a problem.</summary>
    public T? Value { get; }

    /// <summary>What is wrong; null when there is a value.</summary>
    public string? Problem { get; }

    /// <summary>Splits into value and problem.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out string? problem)
    {
        value = Value;
        problem = value is null ? Problem ?? "Nothing was read." : null;
        return value is not null;
    }

    /// <summary>A value that was read.</summary>
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>The reason why nothing could be read.</summary>
    public static implicit operator Parsed<T>(Malformed malformed) => new(null, malformed.Problem);
}
