using System.Text;

namespace Breakwater.Proxy.Settings;

/// <summary>
/// A configuration file of a CernVM-FS client, which is a shell script: understood are assignments, quotes, <c>$NAME</c> and
/// <c>${NAME}</c>, <c>if</c> with tests in brackets, <c>&amp;&amp;</c> and <c>||</c>, and other files read in. Nothing is run: what else
/// there is, is passed over.
/// </summary>
/// <param name="variables">Set by earlier files, and changed by this one.</param>
internal sealed class ClientScript(Dictionary<string, string> variables)
{
    /// <summary>Longest file that is read, and most that read each other.</summary>
    private const int MaxBytes = 1 << 20;
    private const int MaxDepth = 8;

    private static readonly string[] s_loops = ["case", "for", "while", "until"];

    /// <summary>Reads a file; one that is not there or cannot be read changes nothing.</summary>
    public void Run(string file, int depth = 0)
    {
        if (depth > MaxDepth || Text(file) is not { } text)
        {
            return;
        }

        var blocks = new Stack<Block>();
        int passedOver = 0;
        foreach (string statement in Statements(text))
        {
            string command = statement;
            string word = FirstWord(command);
            if (passedOver > 0 || s_loops.Contains(word, StringComparer.Ordinal))
            {
                passedOver += s_loops.Contains(word, StringComparer.Ordinal) ? 1 : word is "esac" or "done" ? -1 : 0;
                continue;
            }

            while (word is "then" or "else" or "elif" or "if" or "fi" && TakeKeyword(word, ref command, blocks, file, depth))
            {
                word = FirstWord(command);
            }

            if (command.Length > 0 && blocks.All(block => block.IsRun))
            {
                Evaluate(command, file, depth);
            }
        }
    }

    private static string? Text(string file)
    {
        try
        {
            var info = new FileInfo(file);
            return info.Exists && info.Length <= MaxBytes ? File.ReadAllText(file) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True: a statement may follow on the same line.</summary>
    private bool TakeKeyword(string word, ref string command, Stack<Block> blocks, string file, int depth)
    {
        string rest = command[word.Length..].TrimStart();
        command = "";
        switch (word)
        {
            case "if":
                bool isMet = blocks.All(block => block.IsRun) && Evaluate(rest, file, depth);
                blocks.Push(new Block(isMet, isMet));
                return false;
            case "elif" when blocks.TryPop(out Block outer):
                bool isNext = !outer.WasRun && blocks.All(block => block.IsRun) && Evaluate(rest, file, depth);
                blocks.Push(new Block(isNext, outer.WasRun || isNext));
                return false;
            case "else" when blocks.TryPop(out Block before):
                blocks.Push(new Block(!before.WasRun, true));
                break;
            case "fi":
                blocks.TryPop(out _);
                break;
        }

        command = rest;
        return true;
    }

    /// <summary>Runs commands that are joined by <c>&amp;&amp;</c> and <c>||</c>; gives whether the last one that ran succeeded.</summary>
    private bool Evaluate(string commands, string file, int depth)
    {
        bool result = true;
        bool isDue = true;
        foreach ((string command, char joint) in Joined(commands))
        {
            result = isDue ? Execute(command.Trim(), file, depth) : result;
            isDue = joint == '&' ? result : !result;
        }

        return result;
    }

    private bool Execute(string command, string file, int depth)
    {
        if (command.StartsWith("! ", StringComparison.Ordinal))
        {
            return !Execute(command[2..].TrimStart(), file, depth);
        }

        foreach (string prefix in (string[])["export ", "readonly "])
        {
            command = command.StartsWith(prefix, StringComparison.Ordinal) ? command[prefix.Length..].TrimStart() : command;
        }

        int equals = command.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0 && command.AsSpan(0, equals).IndexOfAnyExcept(s_nameLetters) < 0)
        {
            variables[command[..equals]] = Words(command[(equals + 1)..]).FirstOrDefault() ?? "";
            return true;
        }

        string[] words = [.. Words(command)];
        return words switch
        {
            [] => true,
            ["[" or "[[", .. var test, "]" or "]]"] => Test(test),
            ["." or "source", var included] => Include(included, file, depth),
            ["true" or ":"] => true,
            _ => false,
        };
    }

    private bool Include(string included, string file, int depth)
    {
        Run(Path.GetFullPath(included, Path.GetDirectoryName(Path.GetFullPath(file))!), depth + 1);
        return true;
    }

    private static bool Test(string[] test) => test switch
    {
        ["!", .. var rest] => !Test(rest),
        ["-z", var text] => text.Length == 0,
        ["-n", var text] => text.Length > 0,
        ["-f" or "-e" or "-r", var path] => File.Exists(path),
        ["-d", var path] => Directory.Exists(path),
        [var left, "=" or "==" or "-eq", var right] => left == right,
        [var left, "!=" or "-ne", var right] => left != right,
        [var text] => text.Length > 0,
        _ => false,
    };

    /// <summary>Statements end with a line or a semicolon, outside of quotes; a backslash joins two lines.</summary>
    private static IEnumerable<string> Statements(string text)
    {
        var statement = new StringBuilder();
        char quote = '\0';
        text = text.ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote == '\0' && c == '#' && (i == 0 || char.IsWhiteSpace(text[i - 1]) || text[i - 1] == ';'))
            {
                int end = text.IndexOf('\n', i);
                i = end < 0 ? text.Length : end - 1;
                continue;
            }

            quote = c is '"' or '\'' && quote == '\0' ? c : c == quote ? '\0' : quote;
            if (quote == '\0' && c is '\n' or ';')
            {
                if (statement.ToString().Trim() is { Length: > 0 } whole)
                {
                    yield return whole;
                }

                statement.Clear();
            }
            else
            {
                statement.Append(c);
            }
        }

        if (statement.ToString().Trim() is { Length: > 0 } last)
        {
            yield return last;
        }
    }

    private static IEnumerable<(string Command, char Joint)> Joined(string commands)
    {
        int start = 0;
        char quote = '\0';
        for (int i = 0; i < commands.Length; i++)
        {
            char c = commands[i];
            quote = c is '"' or '\'' && quote == '\0' ? c : c == quote ? '\0' : quote;
            if (quote == '\0' && c is '&' or '|' && i + 1 < commands.Length && commands[i + 1] == c)
            {
                yield return (commands[start..i], c);
                start = i + 2;
                i++;
            }
        }

        yield return (commands[start..], '&');
    }

    /// <summary>Words with quotes taken off and variables put in; a word in quotes may be empty.</summary>
    private IEnumerable<string> Words(string text)
    {
        var word = new StringBuilder();
        bool isWord = false;
        char quote = '\0';
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (isWord)
                {
                    yield return word.ToString();
                }

                word.Clear();
                isWord = false;
                continue;
            }

            isWord = true;
            if (c is '"' or '\'' && (quote == '\0' || quote == c))
            {
                quote = quote == '\0' ? c : '\0';
            }
            else if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
            }
            else if (c == '$' && quote != '\'')
            {
                i = Expand(text, i, word);
            }
            else
            {
                word.Append(c);
            }
        }

        if (isWord)
        {
            yield return word.ToString();
        }
    }

    /// <summary>Puts a variable in; what is computed (<c>$(…)</c>) is empty. Gives the index of the last character that was used.</summary>
    private int Expand(string text, int dollar, StringBuilder word)
    {
        int start = dollar + 1;
        if (start < text.Length && text[start] is '{' or '(')
        {
            char close = text[start] == '{' ? '}' : ')';
            int end = text.IndexOf(close, start);
            end = end < 0 ? text.Length - 1 : end;
            if (close == ')')
            {
                return end + 1 < text.Length && text[end + 1] == ')' ? end + 1 : end;
            }

            // ${NAME:-default} and its like.
            string inside = text[(start + 1)..end];
            int colon = inside.IndexOf(":-", StringComparison.Ordinal);
            string value = variables.GetValueOrDefault(colon < 0 ? inside : inside[..colon]) ?? "";
            word.Append(value.Length == 0 && colon >= 0 ? inside[(colon + 2)..] : value);
            return end;
        }

        int length = text.AsSpan(start).IndexOfAnyExcept(s_nameLetters);
        length = length < 0 ? text.Length - start : length;
        word.Append(length == 0 ? "$" : variables.GetValueOrDefault(text.Substring(start, length)));
        return start + length - 1;
    }

    private static string FirstWord(string statement)
    {
        int end = statement.AsSpan().IndexOfAny(" \t\n");
        return end < 0 ? statement : statement[..end];
    }

    private static readonly System.Buffers.SearchValues<char> s_nameLetters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>An <c>if</c>: is its present branch run, and was one of its branches?</summary>
    private readonly record struct Block(bool IsRun, bool WasRun);
}
