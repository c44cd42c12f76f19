using System.Text.RegularExpressions;

namespace Breakwater.Mount;

/// <summary>A proxy auto-configuration file whose answer is always the same; there is no interpreter of JavaScript here.</summary>
internal static partial class PacFile
{
    /// <summary>The answer as a list of proxies (<c>http://a:3128;DIRECT</c>). Null: the file has conditions, or no answer.</summary>
    public static string? TryConstant(string text)
    {
        string code = Comments().Replace(text, "");
        MatchCollection returns = Returns().Matches(code);
        if (returns.Count != 1 || Return().Count(code) != 1 || Conditions().IsMatch(code))
        {
            return null;
        }

        List<string> proxies = [];
        const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (string part in returns[0].Groups[2].Value.Split(';', Trimmed))
        {
            string[] words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["DIRECT"])
            {
                proxies.Add("DIRECT");
            }
            else if (words is ["PROXY" or "HTTP", string address])
            {
                proxies.Add("http://" + address);
            }
            else
            {
                return null;
            }
        }

        return proxies.Count == 0 ? null : string.Join(';', proxies);
    }

    [GeneratedRegex(@"/\*.*?\*/|(?<!:)//[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex("""\breturn\s*\(?\s*(["'])([^"'\n]*)\1\s*\)?\s*(;|\})""")]
    private static partial Regex Returns();

    [GeneratedRegex(@"\breturn\b")]
    private static partial Regex Return();

    [GeneratedRegex(@"\b(if|switch|for|while|else|throw)\b|\?")]
    private static partial Regex Conditions();
}
