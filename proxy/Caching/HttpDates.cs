using System.Globalization;

namespace Breakwater.Proxy.Caching;

/// <summary>The three forms of a date in HTTP (RFC 9110, 5.6.7), by their grammar; letters in either case. Pure.</summary>
internal static class HttpDates
{
    private static readonly string[] s_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    private static readonly string[] s_longDays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    private static readonly string[] s_months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    /// <summary>Parses a date; a year of two digits that seems more than 50 years ahead of <paramref name="now"/> is in the past.</summary>
    /// <returns>Null: absent, or no date.</returns>
    public static DateTimeOffset? Parse(string? text, DateTimeOffset now)
    {
        if (text is null || text.Length is < 24 or > 33)
        {
            return null;
        }

        string[] words = text.Split(' ');
        return words switch
        {
            [var day, var d, var month, var year, var clock, var zone]
                when day.Length == 4 && day[3] == ',' && IsOneOf(s_days, day[..3]) && IsGmt(zone) => Make(year, 4, month, d, clock),
            [var day, var date, var clock, var zone]
                when day.EndsWith(',') && IsOneOf(s_longDays, day[..^1]) && IsGmt(zone)
                    && date.Split('-') is [var d, var month, var year] =>
                MakeShort(year, month, d, clock, now),
            [var day, var month, var d, var clock, var year] when IsOneOf(s_days, day) => Make(year, 4, month, d, clock),
            [var day, var month, "", var d, var clock, var year] when IsOneOf(s_days, day) && d.Length == 1 =>
                Make(year, 4, month, "0" + d, clock),
            _ => null,
        };
    }

    /// <summary>The form that everybody writes.</summary>
    public static string Format(DateTimeOffset time) => time.ToString("r", CultureInfo.InvariantCulture);

    private static DateTimeOffset? MakeShort(string year, string month, string day, string clock, DateTimeOffset now)
    {
        if (!TryNumber(year, 2, out int short2))
        {
            return null;
        }

        int full = 2000 + short2;
        full -= full > now.UtcDateTime.Year + 50 ? 100 : 0;
        return Make(full.ToString(CultureInfo.InvariantCulture), 4, month, day, clock);
    }

    private static DateTimeOffset? Make(string yearText, int yearDigits, string monthText, string dayText, string clock)
    {
        int month = Array.FindIndex(s_months, name => name.Equals(monthText, StringComparison.OrdinalIgnoreCase)) + 1;
        if (month == 0 || !TryNumber(yearText, yearDigits, out int year) || !TryNumber(dayText, 2, out int day)
            || clock.Split(':') is not [var h, var m, var s]
            || !TryNumber(h, 2, out int hour) || !TryNumber(m, 2, out int minute) || !TryNumber(s, 2, out int second))
        {
            return null;
        }

        bool isThere = year >= 1 && day >= 1 && day <= DateTime.DaysInMonth(year, month) && hour < 24 && minute < 60 && second <= 60;
        return isThere ? new DateTimeOffset(year, month, day, hour, minute, Math.Min(second, 59), TimeSpan.Zero) : null;
    }

    private static bool TryNumber(string text, int digits, out int value)
    {
        value = 0;
        return text.Length == digits && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    private static bool IsOneOf(string[] names, string text) =>
        Array.Exists(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));

    private static bool IsGmt(string zone) => zone.Equals("GMT", StringComparison.OrdinalIgnoreCase);
}
