using System.Globalization;

namespace Breakwater.CacheStore;

/// <summary>The least and the greatest value that a setting may have; both are allowed.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BetweenAttribute : Attribute
{
    private readonly object _least, _most;

    /// <summary>Of a number.</summary>
    /// <param name="least">The least value.</param>
    /// <param name="most">The greatest value.</param>
    /// <param name="unit">What is counted, for messages; empty: it has no unit.</param>
    public BetweenAttribute(long least, long most, string unit = "") => (_least, _most, Unit) = (least, most, unit);

    /// <summary>Of a share.</summary>
    /// <param name="least">The least value.</param>
    /// <param name="most">The greatest value.</param>
    public BetweenAttribute(double least, double most) => (_least, _most, Unit) = (least, most, "");

    /// <summary>Of a duration, as settings are written: <c>hours:minutes:seconds</c>.</summary>
    /// <param name="least">The least value.</param>
    /// <param name="most">The greatest value.</param>
    public BetweenAttribute(string least, string most) => (_least, _most, Unit) = (Span(least), Span(most), "");

    /// <summary>What is counted; empty: it has no unit.</summary>
    public string Unit { get; }

    /// <summary>Both bounds, as values of the setting's own type.</summary>
    public (IComparable Least, IComparable Most) As(Type type) =>
        type == typeof(TimeSpan) ? ((IComparable)_least, (IComparable)_most) : (Convert(_least, type), Convert(_most, type));

    private static TimeSpan Span(string text) => TimeSpan.Parse(text, CultureInfo.InvariantCulture);

    private static IComparable Convert(object value, Type type) =>
        (IComparable)System.Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
}
