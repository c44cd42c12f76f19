using System.Globalization;

namespace Breakwater.Proxy.FunctionalTests.Hardening;

/// <summary>Answers in their order.</summary>
/// <param name="Answers">Status and whether it answers a HEAD.</param>
/// <param name="Closes">The connection must end after them.</param>
/// <param name="MayReset">It may end without an answer.</param>
internal sealed record ExpectedAnswers(IReadOnlyList<(int Status, bool IsHead)> Answers, bool Closes, bool MayReset)
{
    public static ExpectedAnswers Parse(string text)
    {
        List<(int, bool)> answers = [];
        bool isHead = false;
        foreach (string word in text.Split(' '))
        {
            if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int status))
            {
                answers.Add((status, isHead));
            }

            isHead = word == "HEAD";
        }

        return new ExpectedAnswers(answers, text.EndsWith("close", StringComparison.Ordinal), text == "reset");
    }
}
